"""Processes that decode images of which the worker's loop cannot tell that they are cheap. One pool a worker.

An event source and an idle task of the loop: it starts a process for the first job, sends and receives without
blocking, kills a process whose time is up, replaces one that is gone, and stops those that have been idle for long.
"""

import logging
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from preprocessing.errors import DamagedImage, ImageTooCostly
from service.errors import DeadlineExceeded, Overloaded
from service.isolation.child import ChildExit, ChildLimits, ChildProcess
from service.isolation.image_job import ImageFailure, ImageJob, ImageTask, Result
from service.isolation.messages import RECEIVE_BYTES, Buffer, MalformedMessage, MessageReader
from service.telemetry.metrics import ImageJobMetrics

MODULE = "service.isolation.image_process"
PATIENCE = 3.0  # seconds that a job waits behind slow ones
SLOW_SECONDS = 2.0  # after which a job is slow; photographs take a fifth of that
IDLE_SECONDS = 60.0  # after which a process without a job is stopped
MAX_JOBS = 64  # that wait or run
MAX_BYTES = 64 << 20  # of their files
MAX_RESPONSE = 1 << 28  # bytes of pixels
SENDS_AT_ONCE = 4  # each takes what the socket has room for, some 200 kB, before the loop goes on
EXPIRE_INTERVAL = 0.05  # seconds between looks at what is too old
EXIT_SECONDS = 0.2  # that a process which has closed its socket gets to be gone
NEVER = float("inf")

logger = logging.getLogger("convserve")


@dataclass(frozen=True)
class PoolLimits:
    """How many processes there are, what each may take for a job, and how long a job may wait for one."""

    processes: int
    memory: int  # bytes
    seconds: float  # of CPU
    queue_seconds: float


class ImagePool:
    """Thread-safe, for servers that call the application from several threads; the loop has but one."""

    def __init__(
        self, limits: PoolLimits, metrics: ImageJobMetrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._metrics = metrics
        for cause in (*ChildExit, "start"):
            metrics.exits.labels(cause)  # from 0 on
        self._clock = clock
        self._lock = threading.RLock()
        self._selector: selectors.DefaultSelector | None = None
        self._queue: deque[ImageJob] = deque()
        self._processes: list[_Process] = []
        self._next_expiry = 0.0

    # Requests

    def submit(self, task: ImageTask) -> ImageJob:
        """Queue a task; raises Overloaded where too many wait already."""
        with self._lock:
            jobs = [*self._queue, *(each.job for each in self._processes if each.job)]
            job = ImageJob(task, self._clock(), self._look)
            if len(jobs) >= MAX_JOBS or sum(each.nbytes for each in jobs) + job.nbytes > max(MAX_BYTES, job.nbytes):
                self._metrics.jobs.labels("overloaded").inc()
                raise Overloaded("too many large images are being decoded: try again in a moment")
            self._queue.append(job)
            self._metrics.in_progress.inc()
            self._assign()
            return job

    def complete(self, job: ImageJob) -> None:
        """Wait until a job is over, where no loop watches the pool's descriptor."""
        while not job.is_over():
            with self._lock:
                self._turn(EXPIRE_INTERVAL)

    # The loop

    def start(self) -> int:
        """The descriptor that is readable whenever a process has something to say, or can be sent more."""
        return self._opened().fileno()

    def on_readable(self) -> None:
        """Send, receive and replace what there is."""
        with self._lock:
            self._turn(0)

    def stop(self) -> None:
        """Kill all processes."""
        with self._lock:
            for process in list(self._processes):
                process.child.kill()
                self._remove(process)
            if self._selector is not None:
                self._selector.close()
                self._selector = None

    @property
    def idle_timeout(self) -> float:
        """Seconds until `run_idle` has something to do."""
        return max(0.0, min((each.idle_until for each in self._processes), default=NEVER) - self._clock())

    def run_idle(self) -> None:
        """Stop the processes that have had no job for long."""
        with self._lock:
            for process in [each for each in self._processes if each.idle_until <= self._clock()]:
                process.child.kill()
                self._remove(process)

    def _opened(self) -> selectors.DefaultSelector:
        if self._selector is None:
            self._selector = selectors.DefaultSelector()
        return self._selector

    def _look(self) -> None:
        if self._clock() >= self._next_expiry:
            with self._lock:
                self._expire()

    def _turn(self, timeout: float) -> None:
        for key, events in self._opened().select(timeout):
            self._exchange(key.data, events)
        self._expire()

    def _expire(self) -> None:
        now = self._clock()
        self._next_expiry = now + EXPIRE_INTERVAL
        is_stuck = all(each.began + SLOW_SECONDS <= now for each in self._processes)
        while self._queue and self._queue[0].since + (PATIENCE if is_stuck else self._limits.queue_seconds) <= now:
            seconds = f"{now - self._queue[0].since:.1f} seconds"
            error = Overloaded(f"waited {seconds} for other large images to be decoded: try again in a moment")
            self._finish(self._queue.popleft(), error, "overloaded")
        for process in self._processes:
            if process.job is not None and process.job.result is None and process.deadline <= now:
                process.child.kill()  # that it is gone shows at the socket
                sentence = f"decoding took more than {now - process.began:.0f} seconds: send a smaller or simpler image"
                self._finish(process.job, DeadlineExceeded(sentence), "deadline")

    def _assign(self) -> None:
        """Give waiting jobs to processes that have none, of which more are started if there may be more."""
        while self._queue:
            for process in [each for each in self._processes if each.job is None and each.child.poll() is not None]:
                self._remove(process)  # before its socket has said so
            free = next((each for each in self._processes if each.job is None), None)
            if free is None and len(self._processes) < self._limits.processes:
                free = self._start_process()
            if free is None:
                return
            job = self._queue.popleft()
            job.attempts += 1
            now = self._clock()
            patience = max(0.0, PATIENCE - (now - job.since))
            free.begin(job, job.message(self._limits.seconds), now, now + self._limits.seconds + patience)
            self._exchange(free, selectors.EVENT_WRITE)

    def _start_process(self) -> "_Process | None":
        memory = self._limits.memory
        try:
            child = ChildProcess(MODULE, ChildLimits(memory), (str(memory),))
        except OSError as error:
            logger.warning("cannot start a process that decodes images: %s", error)
            self._metrics.exits.labels("start").inc()
            if not self._processes:  # else the job waits for one that there is
                sentence = "the server cannot start a process to decode it: try again in a moment"
                self._finish(self._queue.popleft(), Overloaded(sentence), "overloaded")
            return None
        child.socket.setblocking(False)
        process = _Process(child)
        self._processes.append(process)
        self._opened().register(child.socket, selectors.EVENT_READ, process)
        return process

    def _exchange(self, process: "_Process", events: int) -> None:
        """Send and receive what is possible now; a process that is gone, or talks nonsense, is removed."""
        if process not in self._processes:
            return
        try:
            gone = bool(events & selectors.EVENT_WRITE) and not process.send()
            if events & selectors.EVENT_READ:
                gone = not process.receive(self._on_result) or gone
        except MalformedMessage:
            logger.warning("a process that decodes images sent what is no response: it is killed")
            process.child.kill()
            gone = True
        if gone:
            self._remove(process)
        else:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if process.unsent else 0)
            self._opened().modify(process.child.socket, wanted, process)
        self._assign()

    def _on_result(self, process: "_Process", result: Result) -> None:
        job, process.job = process.job, None
        process.began, process.idle_until = NEVER, self._clock() + IDLE_SECONDS
        if job is not None and job.result is None:
            self._finish(job, result, "failed" if isinstance(result, ImageFailure) else "prepared")

    def _remove(self, process: "_Process") -> None:
        self._processes.remove(process)
        self._opened().unregister(process.child.socket)
        cause = process.child.join(EXIT_SECONDS)
        job = process.job
        if cause is not ChildExit.KILLED or job is not None:
            self._metrics.exits.labels(cause).inc()
        if job is None or job.result is not None:
            return
        if job.has_begun or job.attempts > 1:
            self._finish(job, self._describe(cause, job), "failed")
        else:  # it was killed between two jobs, and this one came before that was seen
            self._queue.appendleft(job)

    def _describe(self, cause: ChildExit, job: ImageJob) -> Result:
        failure = partial(ImageFailure, row=job.row, most=job.task.max_request_pixels)
        if cause is ChildExit.CPU:
            return failure(ImageTooCostly(f"the image takes more than {self._limits.seconds:g} seconds to decode"))
        if cause in (ChildExit.CRASH, ChildExit.KILLED):
            return failure(DamagedImage("the image is damaged and cannot be decoded"))
        if cause not in (ChildExit.MEMORY, ChildExit.SIGNAL):  # without memory it cannot even report what goes wrong
            logger.warning("a process that decodes images has ended by itself: %s", cause)
        return failure(ImageTooCostly(f"the image takes more than {self._limits.memory >> 20} MB to decode"))

    def _finish(self, job: ImageJob, result: Result, word: str) -> None:
        job.result = result
        self._metrics.in_progress.dec()
        self._metrics.jobs.labels(word).inc()
        job.seconds = self._clock() - job.since
        self._metrics.seconds.observe(job.seconds)


class _Process:
    """A child process, the job that it has, and what of it is not sent yet."""

    def __init__(self, child: ChildProcess) -> None:
        self.child = child
        self.job: ImageJob | None = None
        self.began = self.deadline = self.idle_until = NEVER
        self.unsent: deque[Buffer] = deque()
        self._reader = MessageReader(MAX_RESPONSE)

    def begin(self, job: ImageJob, message: list[Buffer], now: float, deadline: float) -> None:
        self.job, self.began, self.deadline = job, now, deadline
        self.idle_until = NEVER
        self.unsent.extend(message)

    def send(self) -> bool:
        """Send what the socket takes; False where the process is gone."""
        try:
            for _ in range(SENDS_AT_ONCE):
                if not self.unsent:
                    break
                buffer = self.unsent[0]
                sent = self.child.socket.send(buffer)
                if sent < len(buffer):
                    self.unsent[0] = memoryview(buffer)[sent:]
                else:
                    self.unsent.popleft()
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def receive(self, on_result: "Callable[[_Process, Result], None]") -> bool:
        """Take what has arrived; False where the process is gone. Raises MalformedMessage."""
        try:
            data = self.child.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._reader.add(data)
        while (message := self._reader.next()) is not None:
            if self.job is None:
                raise MalformedMessage("a message without a job")
            result = self.job.read(message)
            if result is not None:
                on_result(self, result)
        return bool(data)

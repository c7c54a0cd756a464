"""gunicorn's master process, with a shutdown that is announced, a reload that waits, and failures that end no more.

gunicorn's own arbiter tells its workers of a shutdown only when they have to stop at once, tells the old workers of a
reload to leave before the new ones have loaded their models, ends itself where a worker cannot be started, measures
heartbeats and the grace period by a clock that can be set, and writes to the log alone how a worker exited.
"""

import os
import queue
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from gunicorn.arbiter import Arbiter

from service.ipc.scoreboard import SLOTS, NoFreeSlot, Scoreboard, StartFailure
from service.ipc.watchdog import Watchdog
from service.server.exit_causes import OutOfMemory, describe_exit, exit_cause, exited_children
from service.server.start_failures import StartFailures

POLL_INTERVAL = 0.05  # seconds between looks at the workers of a reload or a shutdown
START_SILENCE = 20.0  # seconds without a heartbeat that it may take at least: importing takes some on a busy machine
START_TIMEOUT = 600  # seconds that a new worker gets to load its models: many or large ones take minutes
RELOAD_ATTEMPTS = 10.0  # seconds in which a reload tries again to fork
QUICK_SECONDS = 2.0  # from SIGINT or SIGQUIT until what is left is killed
MOST_WORKERS = SLOTS // 2  # a reload runs as many beside them
ENDS = (signal.SIGQUIT, signal.SIGINT, signal.SIGTERM)  # the most urgent first; none of them is ever dropped
REPEATED = (signal.SIGTTIN, signal.SIGTTOU)  # each one counts
MOST_SIGNALS = 100  # beyond which others are dropped: while a reload lasts, nothing takes them


class DrainingArbiter(Arbiter):  # type: ignore[misc]  # gunicorn ships no type information
    """One a service. Workers learn from the scoreboard what they cannot see for themselves."""

    LISTENERS: list[Any]

    def __init__(
        self, application: Any, scoreboard: Scoreboard, drain_delay: float, tidy_up: Callable[[], None]
    ) -> None:
        """`tidy_up` is called about once a second."""
        super().__init__(application)
        self._scoreboard = scoreboard
        self._drain_delay = drain_delay
        self._tidy_up = tidy_up
        self._failures = StartFailures(scoreboard, self.log)
        self.SIG_QUEUE = SignalQueue(self._next_attempt)
        self._out_of_memory = OutOfMemory()
        self._is_binding = False
        self._is_ending = False
        self._is_killing = False
        self._watchdog = Watchdog(scoreboard)
        self.unforked: Any = None  # the worker that is given its place before the fork

    def start(self) -> None:
        """Listen. Where the address is in use, gunicorn tries for some seconds, for a killed service may be ending."""
        self._is_binding = True
        try:
            super().start()
        except SystemExit as end:
            if end.code:
                sentence = "the service cannot listen at %s: another process does, or this machine has no such address"
                self.log.error(sentence, self.cfg.bind[0])  # noqa: TRY400 - the sentence says all
            raise
        self._is_binding = False
        if self.systemd:
            self._scoreboard.share_sockets()

    def signal(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal for the main loop; a shutdown is announced at once, for the loop may be busy with a reload."""
        if os.getpid() != self.pid:  # a worker just forked has this handler, too
            return
        if sig in ENDS:
            self._is_ending = True
            if self._is_binding:
                raise SystemExit(0)
        if sig == signal.SIGTERM:
            self._announce_shutdown()
        super().signal(sig, frame)

    def handle_ttin(self) -> None:
        """One worker more, as long as the scoreboard has room for a reload."""
        if self.num_workers >= MOST_WORKERS:
            self.log.warning("SIGTTIN is refused: %s workers are the most, for a reload needs as many", MOST_WORKERS)
        else:
            super().handle_ttin()

    def handle_usr2(self) -> None:
        """Refuse to start a second master: its workers would share no scoreboard with these."""
        self.log.warning("SIGUSR2 is refused: start the new service beside this one, or send SIGHUP for new models")

    def stop(self, graceful: bool = True) -> None:
        """Tell the workers to stop, after the requests under way or at once, and wait for them."""
        self._is_ending, self._is_killing = True, not graceful
        if graceful:
            self._announce_shutdown()
        for listener in self.LISTENERS:
            listener.close()
        self.LISTENERS = []
        if graceful:
            self.kill_workers(signal.SIGTERM)
        else:
            self._kill_quickly()
        self._await_end(self.cfg.graceful_timeout if graceful else QUICK_SECONDS, graceful)
        if self.WORKERS:
            self._is_killing = True
            self.log.warning("these workers have not ended in time and are killed: %s", [*self.WORKERS])
            self.kill_workers(signal.SIGKILL)
            self._await_end(QUICK_SECONDS, graceful=False)

    def _kill_quickly(self) -> None:
        """Tell the workers to drop their requests; one that is starting has none, and may listen to no other signal."""
        starting = self._scoreboard.starting()
        for pid, worker in list(self.WORKERS.items()):
            self.kill_worker(pid, signal.SIGINT if worker.context.slot in starting else signal.SIGQUIT)

    def _await_end(self, seconds: float, graceful: bool) -> None:
        """Wait until no worker is left, at most so many seconds; a second signal makes a graceful end a quick one."""
        until = time.monotonic() + seconds
        while self.WORKERS and time.monotonic() < until:
            with suppress(queue.Empty):
                if self.SIG_QUEUE.get(timeout=POLL_INTERVAL) in (signal.SIGINT, signal.SIGQUIT) and graceful:
                    self.log.info("Quick shutdown requested")
                    self._is_killing = True
                    self._kill_quickly()
                    graceful, until = False, min(until, time.monotonic() + QUICK_SECONDS)
            self.reap_workers()

    def reload(self) -> None:
        """Replace all workers: the old ones are told to leave once a new one serves and none is starting any more.

        Where no new worker can serve, the old ones stay. The settings remain those of the start.
        """
        old, self.num_workers = set(self.WORKERS), self.cfg.workers
        for pid in old & self.WORKERS.keys() if self._start_new(old) else ():
            self.kill_worker(pid, signal.SIGTERM)

    def _start_new(self, old: set[int]) -> bool:
        """Start new workers and wait until none is starting; whether one serves."""
        begun, missing = time.monotonic(), self.num_workers
        while not self._is_ending:
            if missing and time.monotonic() < begun + RELOAD_ATTEMPTS:
                missing -= self._spawn(missing)
            elif not self._scoreboard.starting():
                break
            self.murder_workers()
            self.reap_workers()
            time.sleep(POLL_INTERVAL)
        if not self._is_ending and old.issuperset(self._scoreboard.workers().values()):
            self.log.error("reload: no new worker can serve, so the old ones stay")
            return False
        return True

    def _next_attempt(self) -> float:
        """Seconds until a worker that is missing may be started; infinity where none is."""
        is_missing = len(self.WORKERS) < self.num_workers and not self._is_ending
        return self._failures.seconds_left if is_missing else float("inf")

    def spawn_workers(self) -> None:
        """Start the workers that are missing, unless a failure before makes that wait."""
        self._spawn(self.num_workers - len(self.WORKERS))

    def _spawn(self, count: int) -> int:
        """Start so many workers; returns how many processes there are for them now."""
        for done in range(count):
            if self._is_ending or self._failures.seconds_left or not self.spawn_worker():
                return done
        return count

    def spawn_worker(self) -> int:
        """Start a worker; returns its process id, 0 where that failed. SIGTERM waits until it is the worker's own."""
        self.unforked = None
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            pid: int = super().spawn_worker()
        except (OSError, MemoryError, RuntimeError) as error:  # of gunicorn, too, where the folder is gone
            if os.getpid() != self.pid:
                raise
            self._drop_unforked()
            cause = StartFailure.SLOT if isinstance(error, NoFreeSlot) else StartFailure.FORK
            self._failures.add_fork(cause, str(error) or "no memory", bool(self.WORKERS))
            return 0
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        self._failures.begin(self.WORKERS[pid].context.slot)
        return pid

    def _drop_unforked(self) -> None:
        if self.unforked:
            self.unforked.tmp.close()
            if context := getattr(self.unforked, "context", None):
                self._scoreboard.release(context.slot)
            self.unforked = None

    def murder_workers(self) -> None:
        """Stop the workers that give no heartbeat, or do not begin to serve."""
        self._failures.update()
        self._watchdog.attend()
        self._out_of_memory.update()
        self._tidy_up()
        for pid, worker in list(self.WORKERS.items()):
            slot = worker.context.slot
            silence, starting = self._watchdog.silence(slot), self._failures.starting_for(slot)
            is_silent = silence > (max(self.timeout, START_SILENCE) if starting else self.timeout)
            if is_silent or starting > START_TIMEOUT:
                if not worker.aborted:
                    what, seconds = ("given no heartbeat", silence) if is_silent else ("not served", starting)
                    sentence = "worker %s has %s for %.0f seconds and is stopped%s"
                    self.log.critical(sentence, pid, what, seconds, self._during(slot))
                self.kill_worker(pid, signal.SIGKILL if worker.aborted else signal.SIGABRT)
                worker.aborted = True

    def reap_workers(self) -> None:
        """Collect the exit status of all children that have exited; gunicorn's own method keeps none."""
        for pid, status in exited_children():
            if worker := self.WORKERS.pop(pid, None):
                self._release(worker, os.waitstatus_to_exitcode(status))

    def _release(self, worker: Any, code: int) -> None:
        """Count an unexpected exit and free the worker's resources; raises HaltServer where no worker can start."""
        slot = worker.context.slot
        out_of_memory = code == -signal.SIGKILL and not worker.aborted and self._out_of_memory.take()
        cause = exit_cause(code, worker.aborted, self._scoreboard.is_leaving(slot), out_of_memory)
        how = describe_exit(code, cause)
        if cause and not self._is_killing:
            self._scoreboard.count_exit(cause)
            self.log.error("worker %s exited unexpectedly: %s%s", worker.pid, how, self._during(slot))
        try:
            if not self._is_ending:
                self._failures.end(slot, cause, code, f"worker {worker.pid}: {how}")
        finally:
            worker.tmp.close()
            self.cfg.child_exit(self, worker)

    def _during(self, slot: int) -> str:
        request = self._scoreboard.requests.read(slot)
        return f", in request {request.words}" if request else ""

    def _announce_shutdown(self) -> None:
        """Say when to stop listening, and whether others share the socket, as where it is systemd's."""
        self._scoreboard.announce_shutdown(time.monotonic() + self._drain_delay, self.systemd)


class SignalQueue:
    """The signals that wait for the main loop: those that end it first, each kind once, and never too many.

    It has what gunicorn uses of a `queue.SimpleQueue`; `put_nowait` may be called by a signal handler.
    """

    def __init__(self, next_attempt: Callable[[], float]) -> None:
        """`next_attempt` gives the seconds after which the main loop is wanted, whether or not there is a signal."""
        self._arrived: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._next_attempt = next_attempt
        self._sorted: list[int] = []

    def put_nowait(self, number: int) -> None:
        """Add a signal."""
        if number in ENDS or self._arrived.qsize() < MOST_SIGNALS:
            self._arrived.put_nowait(number)

    def get(self, block: bool = True, timeout: float = 1.0) -> int:
        """The most urgent signal, for which this waits at most `timeout` seconds; raises `queue.Empty`."""
        if not self._sorted and block:
            self._sorted = [self._arrived.get(timeout=max(0.0, min(timeout, self._next_attempt())))]
        return self.get_nowait()

    def get_nowait(self) -> int:
        """The most urgent signal; raises `queue.Empty`."""
        signals = self._sorted + [self._arrived.get_nowait() for _ in range(self._arrived.qsize())]
        if not signals:
            raise queue.Empty
        once = dict.fromkeys([*(number for number in ENDS if number in signals), *signals])
        for number in REPEATED:
            once.pop(number, None)
        first, *self._sorted = [*once, *(number for number in signals if number in REPEATED)]
        return int(first)

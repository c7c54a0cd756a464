"""A fork that tries one bundle: it reads, opens, verifies and warms it up under limits, and says how that went."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, NoReturn

from modelrepo.repository import ModelRepository
from service.inference.model_version import FailedVersion
from service.isolation.child import ChildLimits, apply_limits, die_with
from service.lifecycle.bundle_loader import CHANGED, Opener, load_version
from service.lifecycle.snapshot import take_fingerprint
from service.lifecycle.trial_journal import WantedTrial
from service.lifecycle.trials import digest

MEMORY_FACTOR = 4  # of the bundle's bytes: the file, its parsed copy, the graph's tensors, and these packed for the CPU
MAX_RESULT = 1 << 16  # bytes that a fork may say
WALL_SHARE = 0.25  # of the seconds on the clock that count where a fork waits instead of computing
NICE = 10  # of a fork that has run for long


class TrialResult(NamedTuple):
    """Why a bundle failed, in a sentence and a word; two empty texts where it passed."""

    reason: str = ""
    failure: str = ""


class TrialFork:
    """The parent's side of a fork. It runs at first, and may be paused and go on."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.pipe = pipe
        self._said = b""
        self._seconds = 0.0
        self._resumed: float | None = time.monotonic()
        self._cpu = 0.0

    @property
    def seconds(self) -> float:
        """Seconds on the clock that it has run, pauses left out."""
        return self._seconds + (time.monotonic() - self._resumed if self._resumed is not None else 0)

    @property
    def used(self) -> float:
        """CPU seconds, or a part of those on the clock where that is more: those in which it waits count less."""
        if sys.platform == "linux":
            with suppress(OSError):  # it has ended
                self._cpu = time.clock_gettime((~self.pid << 3) | 2)  # see clock_getcpuclockid(3)
        return max(self._cpu, self.seconds * WALL_SHARE)

    @property
    def private_bytes(self) -> int:
        """Memory that it shares with no other process, 0 where that is not known."""
        try:
            lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            return 0
        return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Private_"))

    def pause(self) -> None:
        """Stop it; its time stands still."""
        self._seconds, self._resumed = self.seconds, None
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on."""
        self._resumed = time.monotonic()
        os.kill(self.pid, signal.SIGCONT)

    def slow_down(self) -> None:
        """Give way to other processes from now on."""
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, NICE)

    def kill(self) -> None:
        """End it; `reap` is to be called then."""
        os.kill(self.pid, signal.SIGKILL)

    def poll(self) -> TrialResult | None:
        """The result, None while there is none yet; afterwards the process is gone."""
        try:
            said = os.read(self.pipe, MAX_RESULT)
        except BlockingIOError:
            return None
        self._said += said
        if said and len(self._said) <= MAX_RESULT:
            return None
        if said:  # it says more than any trial
            self.kill()
        code = self.reap()
        return _parse(self._said) or describe_exit(code)

    def reap(self) -> int:
        """Wait for its end, and free what the parent holds of it; the status as of os.waitstatus_to_exitcode."""
        os.close(self.pipe)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def fork_trial(repository: ModelRepository, opener: Opener, memory: int, wanted: WantedTrial) -> TrialFork:
    """Begin a trial. It may take `memory` bytes beside what its bundle's size allows; raises OSError.

    The process that calls this must have one thread, and must have created no ONNX Runtime session.
    """
    parent = os.getpid()
    pipe, its_pipe = os.pipe()
    os.set_blocking(pipe, False)
    try:
        pid = os.fork()
    except OSError:
        os.close(pipe)
        raise
    finally:
        if os.getpid() == parent:
            os.close(its_pipe)
    if pid == 0:
        _run(parent, its_pipe, partial(_try, repository, opener, memory, wanted))
    return TrialFork(pid, pipe)


def describe_exit(code: int) -> TrialResult:
    """The result of a fork that has ended without saying one; `code` as of os.waitstatus_to_exitcode."""
    if code == -signal.SIGKILL:
        return TrialResult("the process that tried it was killed, perhaps for want of memory", "memory")
    if code < 0:
        return TrialResult(f"the process that tried it crashed: signal {-code} ({signal.strsignal(-code)})", "crash")
    return TrialResult(f"the process that tried it ended with status {code}", "crash")


def _run(parent: int, pipe: int, run: Callable[[], TrialResult]) -> NoReturn:
    """The fork. It ends at once, whatever happens: nothing of its parent's may be cleaned up twice."""
    try:
        _isolate(parent, pipe)
        os.write(pipe, json.dumps(run()).encode())
        os._exit(0)
    finally:
        os._exit(1)


def _try(repository: ModelRepository, opener: Opener, memory: int, wanted: WantedTrial) -> TrialResult:
    folder = repository.path(*wanted.key)
    _limit(memory + MEMORY_FACTOR * sum(map(_bytes, folder.rglob("*"))))
    version = load_version(repository, *wanted.key, opener)
    if digest(take_fingerprint(folder)) != wanted.files:
        return TrialResult(CHANGED, "corrupt")
    return TrialResult(version.reason, version.failure) if isinstance(version, FailedVersion) else TrialResult()


def _isolate(parent: int, pipe: int) -> None:
    """Hold nothing of the parent's, write nothing to its streams, and die with it."""
    die_with(parent)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, 1024)


def _limit(memory: int) -> None:
    """So many bytes of data more than the parent had, and no files; the first to be killed where memory is short."""
    apply_limits(ChildLimits(memory + _data_bytes(), nice=0, may_fork=True))  # threads count as forks do
    with suppress(OSError):  # other systems than Linux
        Path("/proc/self/oom_score_adj").write_text("1000")


def _data_bytes() -> int:
    """What counts for RLIMIT_DATA now."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:  # other systems than Linux
        return 1 << 30
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:"))


def _bytes(path: Path) -> int:
    """The bytes of a file; of a sparse one, or on a file system that compresses, a few times what it takes."""
    status = path.lstat()
    return min(status.st_size, 4 * 512 * status.st_blocks)


def _parse(said: bytes) -> TrialResult | None:
    """What a fork has said, None where that is nothing or nonsense."""
    try:
        reason, failure = json.loads(said)
    except (ValueError, TypeError, RecursionError):
        return None
    return TrialResult(reason, failure) if isinstance(reason, str) and isinstance(failure, str) else None

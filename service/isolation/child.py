"""A child process of the service: a module of ours under limits, with one socket to its parent.

The parent starts `python -m MODULE` by ChildProcess and talks over `socket`; what is written there are messages
(`service.isolation.messages`). The module imports what it needs, then calls `enter_child()`, which takes the limits,
closes its standard streams and gives it the other end:

    child = ChildProcess("service.isolation.image_process", ChildLimits(memory=512 << 20))
    channel = MessageSocket(child.socket)               # blocks; or child.socket.setblocking(False) and a MessageReader
    channel.send({"job": 1}, [content])
    response = channel.receive()                        # None: the child is gone
    child.kill()
    exit = child.join()                                 # ChildExit.MEMORY, CPU, KILLED, CRASH, …

A child that has read hostile bytes may say anything: its parent checks every number and length.
"""

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import service
from service.ipc.watchdog import signal_at_end_of_parent
from service.isolation.messages import MessageSocket

ROOT = Path(service.__file__).parents[1]  # where the packages are, whatever the working directory is
EXIT_MEMORY = 86  # the status by which a child says that its memory was not enough
NOT_BOUND = 0  # instead of the parent's process id: the kernel would end the child with the thread that started it
EXIT_SECONDS = 2.0  # that a killed process gets to be gone: the kernel may have much memory to take back
# Libraries that would start a thread for each CPU, each with memory of its own, get one.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class ChildExit(StrEnum):
    """Why a child process is gone."""

    DONE = "done"  # by itself, with status 0: its parent has closed the socket
    CRASH = "crash"  # by a signal of its own fault, such as SIGSEGV
    CPU = "cpu"  # its CPU seconds were used up
    MEMORY = "memory"  # its memory was not enough
    KILLED = "killed"  # by its parent
    SIGNAL = "signal"  # by a signal from elsewhere, for instance for want of memory on the machine
    ERROR = "error"  # by itself, with another status


@dataclass(frozen=True)
class ChildLimits:
    """What a child may take; its own children have the same limits each."""

    memory: int  # bytes of data: heap, stacks, anonymous maps; more is an error in the child, MemoryError in Python
    nice: int = 5  # added to the parent's, so that requests in the worker's loop win
    may_fork: bool = False
    max_file_bytes: int = 0  # of files that it writes


class ChildProcess:
    """Starts at once; raises OSError where the machine cannot start it. `socket` is the parent's end, which blocks."""

    def __init__(self, module: str, limits: ChildLimits, arguments: tuple[str, ...] = ()) -> None:
        self.socket, other = socket.socketpair()
        self._killed = False
        in_main = threading.current_thread() is threading.main_thread()
        given = (
            str(other.fileno()),
            str(os.getpid() if in_main else NOT_BOUND),
            json.dumps(asdict(limits)),
            *arguments,
        )
        try:
            self._process = start_module(module, given, other.fileno())
        except OSError:
            self.socket.close()
            raise
        finally:
            other.close()
        self.pid = self._process.pid
        self._finalizer = weakref.finalize(self, _end, self._process, self.socket)  # where it is forgotten

    def kill(self) -> None:
        """Kill it, if it is still there; its end of the socket is closed soon after."""
        self._killed = self._killed or self._process.poll() is None
        self._process.kill()

    def poll(self) -> ChildExit | None:
        """Why it is gone; None while it runs."""
        status = self._process.poll()
        return None if status is None else self._describe(status)

    def join(self, timeout: float = EXIT_SECONDS) -> ChildExit:
        """Wait until it is gone, and close the socket; one that stays longer than `timeout` seconds is killed."""
        self.socket.close()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self._finalizer.detach()
        return self._describe(self._process.returncode)

    def _describe(self, status: int) -> ChildExit:
        if status in (0, EXIT_MEMORY):
            return ChildExit.DONE if status == 0 else ChildExit.MEMORY
        if status > 0:
            return ChildExit.ERROR
        if -status == signal.SIGXCPU:
            return ChildExit.CPU
        if -status == signal.SIGKILL:
            return ChildExit.KILLED if self._killed else ChildExit.SIGNAL
        faults = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGXFSZ)
        return ChildExit.CRASH if -status in faults else ChildExit.SIGNAL


def start_module(
    module: str, arguments: Sequence[str], descriptor: int, variables: Mapping[str, str] = MappingProxyType({})
) -> "subprocess.Popen[bytes]":
    """Start `python -m MODULE`, which inherits one descriptor and has these variables beside ours; raises OSError.

    Its standard error stays ours until it has begun, for what goes wrong until then.
    """
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(descriptor,),
        env={**os.environ, **ONE_THREAD, **variables, "PYTHONPATH": path},
    )


def enter_child() -> tuple[MessageSocket, list[str]]:
    """In the child, after its imports: take the limits; returns the socket to the parent and the arguments.

    From here on nothing that a library writes to its standard streams reaches the service's.
    """
    descriptor, parent, limits, *arguments = sys.argv[1:]
    with open(os.devnull, "w") as null:  # noqa: PTH123 - a device
        for stream in (1, 2):
            os.dup2(null.fileno(), stream)
    if int(parent) != NOT_BOUND:
        die_with(int(parent))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent decides
    apply_limits(ChildLimits(**json.loads(limits)))
    return MessageSocket(socket.socket(fileno=int(descriptor))), arguments


def _end(process: "subprocess.Popen[bytes]", connection: socket.socket) -> None:
    connection.close()
    process.kill()
    process.wait()


def limit_cpu(seconds: float) -> None:
    """In the child: from now on it may use so many CPU seconds more, rounded up; then SIGXCPU ends it."""
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 1, hard))


def die_with(parent: int) -> None:
    """Be killed when the thread that started this process ends, on Linux; elsewhere the socket's end says so."""
    signal_at_end_of_parent(signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def apply_limits(limits: ChildLimits) -> None:
    """In the child: take the limits, for good."""
    os.nice(limits.nice)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, limits.max_file_bytes)
    if not limits.may_fork:
        _lower(resource.RLIMIT_NPROC, 0)  # counts for users other than root
    _lower(resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS, limits.memory)


def _lower(kind: int, value: int) -> None:
    """Lower a limit for good; one that is lower already stays."""
    _, hard = resource.getrlimit(kind)
    lowered = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(OSError, ValueError):  # macOS knows not all of them
        resource.setrlimit(kind, (lowered, lowered))

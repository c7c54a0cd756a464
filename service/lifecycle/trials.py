"""Trials: a bundle with new files is opened, verified and warmed up in a process of its own before a worker loads it.

A worker writes which trials it wants and reads the journal of their results. One process runs the trials of all
workers (`service.lifecycle.trial_process`): the first worker that finds none starts it, and it ends by itself.
"""

import fcntl
import hashlib
import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO, Protocol

from service.ipc.worker_warnings import WorkerWarnings
from service.ipc.workspace import atomic_write
from service.isolation.child import start_module
from service.lifecycle.snapshot import Fingerprint, Key
from service.lifecycle.trial_journal import (
    PASSED,
    TrialFolder,
    TrialRecord,
    WantedTrial,
    file_stamp,
)
from service.settings import Settings

MODULE = "service.lifecycle.trial_process"
ONE_THREAD = {"ORT_DISABLE_TELEMETRY": "1"}  # which would start one: the process forks, so it must have no other
LOOK_SECONDS = 0.25  # between looks at whether the trial process still runs
CLOSE_SECONDS = 0.5  # for the trial process to end with the last worker
RETRY_SECONDS = 1.0  # until a trial process that has ended, or could not be started, is started again


def digest(fingerprint: Fingerprint) -> str:
    """What stands for a bundle's files in the journal."""
    return hashlib.sha256(repr(fingerprint).encode()).hexdigest()


class Trials(Protocol):
    """What the version cache asks before it loads a bundle. `begin` and `end` are around the questions of one plan."""

    def begin(self) -> None:
        """Read the results so far, and forget what was wanted."""

    def result(self, key: Key, fingerprint: Fingerprint, request: int, /, *, is_urgent: bool) -> TrialRecord:
        """The trial of these files, which is wanted from now on where it is not over."""

    def knows(self, key: Key, /) -> bool:
        """Whether there may be a result for a bundle; asked before its fingerprint is taken."""

    def is_over(self, key: Key, fingerprint: Fingerprint, request: int, /) -> bool:
        """Whether `result` would be final; asks for no trial."""

    def end(self) -> None:
        """Ask for the trials that are wanted."""

    def have_changed(self) -> bool:
        """Whether trials that are wanted are over, or known to be slow, since `begin`."""

    def close(self) -> None:
        """Want no trials any more."""


class NoTrials:
    """Every bundle may be loaded at once: for a server that loads its models before its first request only."""

    def begin(self) -> None:
        """Read nothing."""

    def result(self, _key: Key, _fingerprint: Fingerprint, _request: int, *, is_urgent: bool) -> TrialRecord:  # noqa: ARG002
        """That of a bundle which passed."""
        return PASSED

    def knows(self, _key: Key) -> bool:
        """Always."""
        return True

    def is_over(self, _key: Key, _fingerprint: Fingerprint, _request: int) -> bool:
        """Always."""
        return True

    def end(self) -> None:
        """Ask for nothing."""

    def have_changed(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Nothing is wanted."""


@dataclass(frozen=True)
class TrialOptions:
    """How bundles are tried: as the workers load them, within `timeout` seconds.

    A trial may take `memory` bytes beside four times the size of the bundle's files.
    """

    models: str
    threads: int
    max_pixels: int
    max_request_pixels: int
    max_images: int
    timeout: float
    memory: int

    @classmethod
    def of(cls, settings: Settings) -> "TrialOptions":
        """As the settings have it."""
        return cls(
            str(settings.models),
            settings.session_threads,
            settings.max_pixels,
            settings.max_request_pixels,
            settings.max_images,
            settings.load_timeout,
            settings.load_memory_bytes,
        )


class TrialClient:
    """One worker's trials, used by one thread at a time."""

    def __init__(self, shared: Path, options: TrialOptions, warnings: WorkerWarnings) -> None:
        self._folder = TrialFolder(shared)
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._options = options
        self._warnings = warnings
        self._wanted: dict[Key, WantedTrial] = {}
        self._first_wanted: dict[WantedTrial, TrialRecord] = {}
        self._records: Mapping[Key, TrialRecord] = {}
        self._stamp: object = None
        self._written = "[]"
        self._own_lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._next_start = self._next_attempt = self._next_look = 0.0
        self._cannot_try = False

    def begin(self) -> None:
        """Read the journal where it has changed."""
        self._wanted = {}
        with suppress(OSError):  # then what was read before counts
            stamp = file_stamp(self._folder.journal)
            if stamp != self._stamp:
                self._records, self._stamp = self._folder.read(), stamp

    def result(self, key: Key, fingerprint: Fingerprint, request: int, *, is_urgent: bool) -> TrialRecord:
        """The record in the journal, else one that waits."""
        record = self._find(key, fingerprint, request)
        if record and record.is_over:
            return record
        if self._cannot_try:
            return PASSED
        self._wanted[key] = wanted = WantedTrial(*key, digest(fingerprint), request, is_urgent)
        return record or self._first_wanted.setdefault(wanted, TrialRecord(wanted.files, request, time.time()))

    def knows(self, key: Key) -> bool:
        """Whether the journal has a record."""
        return key in self._records

    def is_over(self, key: Key, fingerprint: Fingerprint, request: int) -> bool:
        """Whether the journal has a result."""
        record = self._find(key, fingerprint, request)
        return record is not None and record.is_over

    def _find(self, key: Key, fingerprint: Fingerprint, request: int) -> TrialRecord | None:
        record = self._records.get(key)
        return record if record and record.is_of(digest(fingerprint), request) else None

    def end(self) -> None:
        """Publish what is wanted, and see that there is a process which tries it."""
        wanted = set(self._wanted.values())
        self._first_wanted = {each: record for each, record in self._first_wanted.items() if each in wanted}
        self._ask()

    def have_changed(self) -> bool:
        """Whether the journal has changed; also starts the process where it has ended with trials still wanted."""
        if not self._wanted:
            return False
        if time.monotonic() >= self._next_look:
            self._ask()
        try:
            return self._cannot_try or file_stamp(self._folder.journal) != self._stamp
        except OSError:
            return self._cannot_try

    def start(self) -> None:
        """Start the process before anything is wanted, where nothing was ever tried: it takes a while to begin."""
        if not self._folder.journal.exists():
            self._attempt(self._start_process)

    def _ask(self) -> None:
        self._next_look = time.monotonic() + LOOK_SECONDS
        text = json.dumps([asdict(each) for each in self._wanted.values()])
        if text != self._written and self._attempt(partial(self._publish, text)):
            self._written = text
        if self._wanted:
            self._attempt(self._start_process)

    def _attempt(self, action: Callable[[], None]) -> bool:
        """Whether an action succeeded; where the disk is full, or no process can be started, again later."""
        if time.monotonic() < self._next_attempt:
            return False
        try:
            action()
        except OSError as error:
            self._next_attempt = time.monotonic() + RETRY_SECONDS
            self._cannot_try = True
            self._warnings.add("trials", f"bundles are loaded without a trial, which cannot be made: {error}")
            return False
        if self._cannot_try:
            self._cannot_try = False
            self._warnings.remove("trials")
        return True

    def _publish(self, text: str) -> None:
        self._enter()
        atomic_write(self._own("json"), text)

    def close(self) -> None:
        """Leave: without any worker that wants trials the process ends at once."""
        self._wanted = {}
        if self._own_lock:
            for path in (self._own("json"), self._own("lock")):
                with suppress(OSError):
                    path.unlink()
            self._own_lock.close()
            self._own_lock = None
        if self._process:
            with suppress(subprocess.TimeoutExpired):  # other workers have it go on
                self._process.wait(CLOSE_SECONDS)

    def _start_process(self) -> None:
        """Start the trial process unless one runs, of this worker or another one."""
        if self._process and self._process.poll() is not None:
            self._process = None
        if self._process or time.monotonic() < self._next_start:
            return
        self._enter()
        with self._folder.lock.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._next_start = time.monotonic() + RETRY_SECONDS
            # It takes over the lock and holds it until it ends.
            arguments = [str(self._folder.path), str(lock.fileno()), json.dumps(asdict(self._options))]
            self._process = start_module(MODULE, arguments, lock.fileno(), ONE_THREAD)

    def _enter(self) -> None:
        """Be one of the workers that want trials, for as long as this process lives: its lock says so."""
        if self._own_lock:
            return
        self._folder.path.mkdir(exist_ok=True)
        fresh = self._own("new")
        lock = fresh.open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        fresh.rename(self._own("lock"))  # it is seen only when it is held
        self._own_lock = lock

    def _own(self, kind: str) -> Path:
        return self._folder.path / f"{self._name}.{kind}"

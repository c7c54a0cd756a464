"""The crash guard: a bundle that crashes the process which loads it does not crash one worker after another.

A worker that loads a bundle for the first time writes that into a journal, which all workers share, and removes it
afterwards. An entry that is still there while no process holds the lock means that its writer has died. One crash can
be chance; after two the bundle is not loaded any more.
"""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from service.ipc.workspace import atomic_write

MAX_CRASHES = 2

BundleState = tuple[str, str]  # `<name>/<version>`, and a digest of its files' fingerprint and of the last load request


@dataclass(frozen=True)
class Journal:
    """The first load under way, how often loading which files has crashed, and which files were loaded without."""

    loading: BundleState | None = None
    crashes: Mapping[BundleState, int] = field(default_factory=dict)
    safe: Mapping[str, str] = field(default_factory=dict)

    def is_safe(self, bundle: str, digest: str) -> bool:
        """Whether a worker has loaded these files, or failed to, without a crash."""
        return self.safe.get(bundle) == digest

    def with_safe(self, bundle: str, digest: str) -> "Journal":
        """The journal once these files are loaded."""
        return Journal(None, self.crashes, {**self.safe, bundle: digest})

    def with_crash(self) -> "Journal":
        """The journal once the worker that was loading has crashed; former files of that bundle are forgotten."""
        if self.loading is None:
            return self
        count = self.crashes.get(self.loading, 0) + 1
        others = {state: crashes for state, crashes in self.crashes.items() if state[0] != self.loading[0]}
        return Journal(None, {**others, self.loading: count}, self.safe)


class CrashGuard:
    """One worker's access to the journal. One worker at a time loads a bundle for the first time; the others wait."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "loads.json"
        self._lock = folder / "loads.lock"

    @contextmanager
    def loading(self, bundle: str, digest: str) -> Iterator[bool]:
        """The context in which a bundle is loaded; its value says whether it may be. `bundle` is `<name>/<version>`.

        Crashes count for one `digest` only: other files, or a new load request, start again at none.
        """
        if self._read().is_safe(bundle, digest):  # without the lock, which another first load may hold for long
            yield True
            return
        with self._locked() as journal:
            is_safe = journal.is_safe(bundle, digest)
            if not is_safe and journal.crashes.get((bundle, digest), 0) < MAX_CRASHES:
                self._write(replace(journal, loading=(bundle, digest)))
                try:
                    yield True
                finally:
                    self._write(journal.with_safe(bundle, digest))
                return
        yield is_safe

    @contextmanager
    def _locked(self) -> Iterator[Journal]:
        """The journal, for this process alone: a worker that left an entry in it has died, for it held the lock."""
        with self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self._read()
            journal = before.with_crash()
            if journal is not before:
                self._write(journal)
            yield journal

    def _read(self) -> Journal:
        try:
            loading, crashes, safe = json.loads(self._file.read_text())
        except FileNotFoundError:
            return Journal()
        return Journal(loading and tuple(loading), {(bundle, digest): n for bundle, digest, n in crashes}, safe)

    def _write(self, journal: Journal) -> None:
        crashes = [(*state, count) for state, count in journal.crashes.items()]
        with suppress(OSError):  # on a full disk bundles are loaded all the same
            atomic_write(self._file, json.dumps([journal.loading, crashes, journal.safe]))

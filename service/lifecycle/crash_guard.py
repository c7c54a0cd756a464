"""A bundle that kills the process which loads it must not kill one worker after another.

Whoever loads a bundle for the first time says so before and takes it back afterwards, in a file that all workers share.
Who finds such a word left behind knows that its writer died. One death can be chance; after two the bundle is refused.
"""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from service.ipc.workspace import atomic_write

DEATHS = 2

Files = tuple[str, str]  # a bundle, and a digest of what its files look like and of the last order to load it


@dataclass(frozen=True)
class Journal:
    """What is being loaded for the first time, how often which files were deadly, and which were survived."""

    loading: Files | None = None
    deaths: Mapping[Files, int] = field(default_factory=dict)
    survived: Mapping[str, str] = field(default_factory=dict)

    def is_survived(self, files: Files) -> bool:
        """Whether somebody has loaded these files, or refused them, and lived."""
        bundle, digest = files
        return self.survived.get(bundle) == digest

    def with_survivor(self, files: Files) -> "Journal":
        """The journal once these files are loaded."""
        bundle, digest = files
        return Journal(None, self.deaths, {**self.survived, bundle: digest})

    def with_death(self) -> "Journal":
        """The journal once it is known that whoever was loading has died; other files of that bundle are forgotten."""
        if self.loading is None:
            return self
        times = self.deaths.get(self.loading, 0) + 1
        return Journal(None, {**_without(self.deaths, self.loading[0]), self.loading: times}, self.survived)


class CrashGuard:
    """One worker's access to the journal. The first load of a bundle is one worker's alone; the others wait for it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "loads.json"
        self._lock = folder / "loads.lock"

    @contextmanager
    def loading(self, bundle: str, digest: str) -> Iterator[bool]:
        """To load a bundle in; gives whether it may be tried. `bundle` is `<name>/<version>`.

        With another `digest`, of its files and of who wants them, what happened before does not count.
        """
        files = (bundle, digest)
        if self._read().is_survived(files):  # then nobody waits for whoever loads something else just now
            yield True
            return
        with self._locked() as journal:
            survived = journal.is_survived(files)
            if not survived and journal.deaths.get(files, 0) < DEATHS:
                self._write(replace(journal, loading=files))
                try:
                    yield True
                finally:
                    self._write(journal.with_survivor(files))
                return
        yield survived

    @contextmanager
    def _locked(self) -> Iterator[Journal]:
        """The journal, for this process alone; whoever still stands in it has died, or would be holding the lock."""
        with self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = self._read()
            journal = found.with_death()
            if journal is not found:
                self._write(journal)
            yield journal

    def _read(self) -> Journal:
        try:
            members = json.loads(self._file.read_text())
        except FileNotFoundError:
            return Journal()
        loading, deaths, survived = members
        return Journal(loading and tuple(loading), {(bundle, digest): n for bundle, digest, n in deaths}, survived)

    def _write(self, journal: Journal) -> None:
        deaths = [(*files, times) for files, times in journal.deaths.items()]
        atomic_write(self._file, json.dumps([journal.loading, deaths, journal.survived]))


def _without(deaths: Mapping[Files, int], bundle: str) -> dict[Files, int]:
    """The deaths by other bundles."""
    return {files: times for files, times in deaths.items() if files[0] != bundle}

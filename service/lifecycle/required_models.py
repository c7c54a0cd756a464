"""The models without which the service is not ready: those that were there when it started, and all that it has served.

A model that comes later and is broken from the first is not among them: nobody has relied on it, and a mistake in one
folder must not take a whole fleet out of service.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from service.ipc.workspace import atomic_write


class RequiredModels:
    """What a worker knows of them, shared with those that come after it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "required.json"
        self._names: frozenset[str] = frozenset()

    def begin(self, names: Iterable[str]) -> None:
        """Take over what workers before this one knew; the first of all takes the models that there are."""
        if not self._file.exists():
            self._write(frozenset(names))
        self._names = frozenset(json.loads(self._file.read_text()))

    def add(self, served: Iterable[str]) -> frozenset[str]:
        """All of them, once these models are served."""
        if not self._names.issuperset(served := frozenset(served)):
            self._write(self._names | served)
        return self._names

    def _write(self, names: frozenset[str]) -> None:
        self._names = names
        atomic_write(self._file, json.dumps(sorted(names)))

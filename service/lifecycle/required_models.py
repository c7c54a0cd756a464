"""The models without which the service is not ready: those that it started with, and all that it has served since.

A model that comes later and has never loaded is not required: no client uses it yet, and a mistake in one folder must
not make a whole fleet unready.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from service.ipc.workspace import atomic_write


class RequiredModels:
    """Their names, in a file that workers share with those that start after them."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "required.json"
        self._names: frozenset[str] = frozenset()

    def begin(self, names: Iterable[str]) -> None:
        """Read the names that workers before this one wrote; the first of all workers writes these `names`."""
        if not self._file.exists():
            self._write(frozenset(names))
        self._names = frozenset(json.loads(self._file.read_text()))

    def add(self, served: Iterable[str]) -> frozenset[str]:
        """All names, with those of the models that are served now."""
        if not self._names.issuperset(served := frozenset(served)):
            self._write(self._names | served)
        return self._names

    def _write(self, names: frozenset[str]) -> None:
        self._names = names
        atomic_write(self._file, json.dumps(sorted(names)))

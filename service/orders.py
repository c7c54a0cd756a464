"""What operators ordered over HTTP, for all workers: a small file in the folder that they share."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from service.sharedfile import write_whole


@dataclass(frozen=True)
class OrderBook:
    """The last order's number, the models that are unloaded, and the last order to load each of the others."""

    last: int = 0
    unloaded: frozenset[str] = frozenset()
    loads: dict[str, int] = field(default_factory=dict)

    def since(self, number: int) -> set[str]:
        """The models that were to be loaded after an order."""
        return {name for name, order in self.loads.items() if order > number}


class Orders:
    """The order book on disk; one worker at a time writes it, and all may read it at any time."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "orders.json"
        self._lock = folder / "orders.lock"

    def read(self) -> OrderBook:
        """The orders so far."""
        try:
            members = json.loads(self._file.read_text())
        except FileNotFoundError:
            return OrderBook()
        return OrderBook(members["last"], frozenset(members["unloaded"]), members["loads"])

    def load(self, name: str) -> int:
        """Order a model to be loaded, which includes another try of what was refused; returns the order's number."""
        with self._locked() as book:
            number = book.last + 1
            self._write(OrderBook(number, book.unloaded - {name}, {**book.loads, name: number}))
        return number

    def unload(self, name: str) -> int:
        """Order a model to be let go; returns the order's number."""
        with self._locked() as book:
            number = book.last + 1
            self._write(OrderBook(number, book.unloaded | {name}, book.loads))
        return number

    @contextmanager
    def _locked(self) -> Iterator[OrderBook]:
        with self._lock.open("a") as lock:  # closing it, or dying, gives the lock back
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.read()

    def _write(self, book: OrderBook) -> None:
        members = {**asdict(book), "unloaded": sorted(book.unloaded)}
        write_whole(self._file, json.dumps(members))

"""Requests and times of each model by batch size, summed over the workers and kept when a worker exits.

The statistics of the Open Inference Protocol need sums for every batch size, which would be an unbounded label in
Prometheus. So they have files of their own, beside those of the metrics.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from functools import cache

from prometheus_client.mmap_dict import MmapedDict

from service.telemetry.multiprocess_values import SlotFiles
from service.telemetry.stage_timer import Stage

KIND, SUFFIX = "statistics", "mmap"  # of the files
NANO = 1_000_000_000  # nanoseconds in a second


@dataclass(frozen=True)
class Totals:
    """Requests of one batch size, and their nanoseconds in the queue, before, in and after the network."""

    count: int = 0
    queue: int = 0
    input: int = 0
    infer: int = 0
    output: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def nanoseconds(self) -> int:
        """All the time together."""
        return self.queue + self.input + self.infer + self.output


@dataclass(frozen=True)
class ModelStatistics:
    """One version of a model: successful requests by batch size, failed ones, and when the last one succeeded.

    `last` is in seconds since 1970, 0 where none has succeeded.
    """

    batches: Mapping[int, Totals]
    failed: Totals
    last: float

    @property
    def total(self) -> Totals:
        """All successful requests."""
        return sum(self.batches.values(), Totals())

    @property
    def images(self) -> int:
        """Images of all successful requests."""
        return sum(size * totals.count for size, totals in self.batches.items())


class Tally:
    """Counts one worker's requests to one version of a model."""

    def __init__(self, files: SlotFiles, model: str, version: int) -> None:
        self._row = cache(lambda size: _Row(files, f"{model} {version} {size}"))

    def succeed(self, size: int, seconds: Mapping[Stage, float]) -> None:
        """Count a request of `size` images and its seconds in each stage."""
        before = seconds.get(Stage.DECODE, 0.0) + seconds.get(Stage.PREPROCESS, 0.0)
        self._row(size).add(seconds[Stage.QUEUE], before, seconds[Stage.INFER], seconds[Stage.ENCODE])

    def fail(self, seconds: float) -> None:
        """Count a request that got an error after `seconds`."""
        self._row(0).add(0.0, seconds, 0.0, 0.0)  # a successful request has at least 1 image


class Statistics:
    """One worker's own counts, to write, and the sums over all workers, to read."""

    def __init__(self, files: SlotFiles) -> None:
        self._files = files
        files.open(KIND, SUFFIX)

    def tally(self, model: str, version: int) -> Tally:
        """The counter of the requests to one version of a model."""
        return Tally(self._files, model, version)

    def read(self, model: str, version: int) -> ModelStatistics:
        """The sums over all workers, those that have exited included."""
        batches: dict[int, Totals] = defaultdict(Totals)
        last = 0.0
        for size, totals, when in self._rows(f"{model} {version} "):
            batches[size] += totals
            last = max(last, when if size else 0.0)
        failed = batches.pop(0, Totals())
        return ModelStatistics(dict(sorted(batches.items())), failed, last)

    def _rows(self, prefix: str) -> Iterator[tuple[int, Totals, float]]:
        for path in self._files.folder.glob(f"{KIND}_*.{SUFFIX}"):
            for key, value, when, _ in MmapedDict.read_all_values_from_file(str(path)):
                if key.startswith(prefix):
                    size, field = key.removeprefix(prefix).split()
                    yield int(size), Totals(**{field: int(value)}), when


FIELDS = [field.name for field in fields(Totals)]  # the order of a row's keys and amounts


class _Row:
    """The values of one batch size; this process alone writes them, so it need not read them back."""

    def __init__(self, files: SlotFiles, prefix: str) -> None:
        self._keys = [f"{prefix} {field}" for field in FIELDS]
        places = [files.place(key, KIND, SUFFIX) for key in self._keys]
        self._values = [values for values, _ in places]
        self._amounts = [amount for _, amount in places]  # of an earlier worker in this slot

    def add(self, *seconds: float) -> None:
        now = time.time()
        for place, amount in enumerate((1, *(int(each * NANO) for each in seconds))):
            self._amounts[place] += amount
            self._values[place].write_value(self._keys[place], self._amounts[place], now)

"""What it costs to send the same images in each encoding, as one request and as many."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from bench.messages import Unanswered
from bench.parcels import Parcel
from bench.table import layout, number
from bench.traffic import percentile

TURN = 0.1  # seconds: short beside what disturbs a machine, long beside reading the CPU time, which takes 2 ms of it

Exchange = Callable[[bytes], object]  # sends a request and waits for the whole answer
ReadCpu = Callable[[], float | None]  # CPU seconds of the service until now


@dataclass(frozen=True)
class Turn:
    """All images sent `times` times: mean time for all of them, CPU time of the service in the whole turn."""

    times: int
    ms: float
    cpu_seconds: float | None


@dataclass(frozen=True)
class Side:
    """One way to send the images: how many, in how many bytes with all heads, and a turn a round."""

    images: int
    sent: int
    turns: tuple[Turn, ...]

    @property
    def ms(self) -> float:
        """Milliseconds for all images, median of the rounds."""
        return median(turn.ms for turn in self.turns)

    @property
    def cpu_us(self) -> float | None:
        """CPU microseconds an image over all rounds, for one is short beside the clock's 10 ms; None where unknown."""
        known = [turn.cpu_seconds for turn in self.turns if turn.cpu_seconds is not None]
        times = sum(turn.times for turn in self.turns)
        return sum(known) / (self.images * times) * 1e6 if len(known) == len(self.turns) else None


@dataclass(frozen=True)
class Row:
    """One encoding."""

    encoding: str
    batch: Side
    singles: Side

    @property
    def ratios(self) -> tuple[float, ...]:
        """The time of the singles over that of the batch, of two turns that stood side by side, a round each."""
        pairs = zip(self.singles.turns, self.batch.turns, strict=True)
        return tuple(singles.ms / batch.ms for singles, batch in pairs)


def measure_wire(
    exchange: Exchange, read_cpu: ReadCpu, parcels: Sequence[Parcel], rounds: int, seconds: float
) -> tuple[Row, ...]:
    """In each round each parcel has a turn of `seconds` as a batch and then one as singles; a round before warms up.

    So a busy minute of the machine hits all encodings and both ways alike. Raises Unanswered, which names the encoding.
    """
    taken = [[_take_turns(exchange, read_cpu, parcel, seconds) for parcel in parcels] for _ in range(rounds + 1)]
    return tuple(_row(*each) for each in zip(parcels, zip(*taken[1:], strict=True), strict=True))


def wire_table(rows: Sequence[Row]) -> str:
    """A row an encoding, the ratio first, with its quartiles over the rounds."""
    head = ("encoding", "singles ÷ batch", "middle half")
    figures = ("ms", "images/s", "CPU µs an image", "bytes")
    pairs = (f"{side} {figure}" for figure in figures for side in ("batch", "singles"))
    return layout((*head, *pairs), [_cells(row) for row in rows])


def _take_turns(exchange: Exchange, read_cpu: ReadCpu, parcel: Parcel, seconds: float) -> tuple[Turn, Turn]:
    try:
        batch = take_turn(exchange, read_cpu, parcel.batch, seconds)
        return batch, take_turn(exchange, read_cpu, parcel.singles, seconds)
    except (OSError, Unanswered) as error:
        raise Unanswered(f"{parcel.encoding}: {error}") from error


def take_turn(exchange: Exchange, read_cpu: ReadCpu, requests: Sequence[bytes], seconds: float) -> Turn:
    """Send the requests one after the other, over and over, for about `seconds`, at least once.

    A time is from the first byte sent of the first request to the last byte received of the last answer.
    """
    times: list[float] = []
    before, until = read_cpu(), time.perf_counter() + seconds
    while not times or time.perf_counter() < until:
        begun = time.perf_counter()
        for request in requests:
            exchange(request)
        times.append(time.perf_counter() - begun)
    after = read_cpu()
    used = None if before is None or after is None else after - before
    return Turn(len(times), fmean(times) * 1000, used)


def _row(parcel: Parcel, turns: Sequence[tuple[Turn, Turn]]) -> Row:
    batch, singles = zip(*turns, strict=True)
    images = len(parcel.singles)
    return Row(
        parcel.encoding,
        batch=Side(images, sum(map(len, parcel.batch)), batch),
        singles=Side(images, sum(map(len, parcel.singles)), singles),
    )


def _cells(row: Row) -> tuple[str, ...]:
    sides = (row.batch, row.singles)
    return (
        row.encoding,
        number(median(row.ratios), 1),
        " to ".join(number(percentile(row.ratios, share), 1) for share in (0.25, 0.75)),
        *(number(side.ms, 2) for side in sides),
        *(number(side.images / side.ms * 1000) for side in sides),
        *(number(side.cpu_us) for side in sides),
        *(str(side.sent) for side in sides),
    )

"""`bench wire`: what it costs to send the same images in each encoding, as one request and as one request each.

All requests are written before anything is timed.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import fmean, median

from bench.clients.encodings import Encode, Sample, list_encodings
from bench.clients.http_client import RequestFailed, check_response
from bench.clients.images import ImageSet, decode_pixels
from bench.clients.traffic import percentile
from bench.report import format_number, format_table
from bench.target import Target

IMAGES = 32
TURN_SECONDS = 0.1  # short beside disturbances of the machine, long beside reading the CPU time, which takes 2 ms

Exchange = Callable[[bytes], object]  # sends a request and waits for the whole response
ReadCpu = Callable[[], float | None]  # CPU seconds of the service until now


@dataclass(frozen=True)
class EncodedRequests:
    """The requests that carry the same images in one encoding: one request for all, and one request each."""

    encoding: str
    batch: tuple[bytes, ...]
    singles: tuple[bytes, ...]


def encode_images(target: Target, model: str, image_set: ImageSet) -> tuple[EncodedRequests, ...]:
    """The requests of IMAGES images in each encoding; raises RequestFailed where the service lacks the model."""
    tensor = _input_name(*target.get(f"/v2/models/{model}"))
    samples = [Sample(content, decode_pixels(content)) for content in islice(cycle(image_set.contents), IMAGES)]
    return write_requests(target, list_encodings(model, tensor, image_set.content_type), samples)


def write_requests(
    target: Target, encodings: Mapping[str, Encode], samples: list[Sample]
) -> tuple[EncodedRequests, ...]:
    """The requests of each encoding, head and body."""
    return tuple(
        EncodedRequests(
            name,
            batch=(encode(samples).write(target),),
            singles=tuple(encode([sample]).write(target) for sample in samples),
        )
        for name, encode in encodings.items()
    )


def _input_name(status: int, body: bytes) -> str:
    """The name of the first input in a model's v2 metadata."""
    return str(json.loads(check_response(status, body))["inputs"][0]["name"])


@dataclass(frozen=True)
class Turn:
    """All images sent `times` times: mean time for all of them, CPU time of the service in the whole turn."""

    times: int
    ms: float
    cpu_seconds: float | None


@dataclass(frozen=True)
class Timings:
    """One way to send the images: their number, the bytes sent (with heads), and a turn for each round."""

    images: int
    sent: int
    turns: tuple[Turn, ...]

    @property
    def ms(self) -> float:
        """Milliseconds for all images, median of the rounds."""
        return median(turn.ms for turn in self.turns)

    @property
    def cpu_us(self) -> float | None:
        """CPU microseconds an image over all rounds, as one round is short for a clock of 10 ms; None where unknown."""
        known = [turn.cpu_seconds for turn in self.turns if turn.cpu_seconds is not None]
        times = sum(turn.times for turn in self.turns)
        return sum(known) / (self.images * times) * 1e6 if len(known) == len(self.turns) else None


@dataclass(frozen=True)
class EncodingFigures:
    """The figures of one encoding."""

    encoding: str
    batch: Timings
    singles: Timings

    @property
    def ratios(self) -> tuple[float, ...]:
        """The time of the singles over that of the batch, for each round, whose two turns followed each other."""
        pairs = zip(self.singles.turns, self.batch.turns, strict=True)
        return tuple(singles.ms / batch.ms for singles, batch in pairs)


def measure_encodings(
    exchange: Exchange, read_cpu: ReadCpu, encodings: Sequence[EncodedRequests], rounds: int, seconds: float
) -> tuple[EncodingFigures, ...]:
    """A round: for each encoding a turn of `seconds` as a batch, then one as singles. The first round is not counted.

    So a busy minute of the machine affects all encodings alike. Raises RequestFailed, which names the encoding.
    """
    rounds_of_turns = [
        [_take_turns(exchange, read_cpu, requests, seconds) for requests in encodings] for _ in range(rounds + 1)
    ]
    return tuple(_figures(*each) for each in zip(encodings, zip(*rounds_of_turns[1:], strict=True), strict=True))


def encodings_table(rows: Sequence[EncodingFigures]) -> str:
    """A row an encoding, the ratio first, with its quartiles over the rounds."""
    head = ("encoding", "singles ÷ batch", "middle half")
    figures = ("ms", "images/s", "CPU µs an image", "bytes")
    pairs = (f"{side} {figure}" for figure in figures for side in ("batch", "singles"))
    return format_table((*head, *pairs), [_cells(row) for row in rows])


def _take_turns(exchange: Exchange, read_cpu: ReadCpu, requests: EncodedRequests, seconds: float) -> tuple[Turn, Turn]:
    try:
        batch = take_turn(exchange, read_cpu, requests.batch, seconds)
        return batch, take_turn(exchange, read_cpu, requests.singles, seconds)
    except (OSError, RequestFailed) as error:
        raise RequestFailed(f"{requests.encoding}: {error}") from error


def take_turn(exchange: Exchange, read_cpu: ReadCpu, requests: Sequence[bytes], seconds: float) -> Turn:
    """Send the requests one after the other, over and over, for about `seconds`, at least once.

    A time is from the first byte sent of the first request to the last byte received of the last response.
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


def _figures(requests: EncodedRequests, turns: Sequence[tuple[Turn, Turn]]) -> EncodingFigures:
    batch, singles = zip(*turns, strict=True)
    images = len(requests.singles)
    return EncodingFigures(
        requests.encoding,
        batch=Timings(images, sum(map(len, requests.batch)), batch),
        singles=Timings(images, sum(map(len, requests.singles)), singles),
    )


def _cells(row: EncodingFigures) -> tuple[str, ...]:
    sides = (row.batch, row.singles)
    return (
        row.encoding,
        format_number(median(row.ratios), 1),
        " to ".join(format_number(percentile(row.ratios, share), 1) for share in (0.25, 0.75)),
        *(format_number(side.ms, 2) for side in sides),
        *(format_number(side.images / side.ms * 1000) for side in sides),
        *(format_number(side.cpu_us) for side in sides),
        *(str(side.sent) for side in sides),
    )

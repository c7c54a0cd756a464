"""The main benchmark: load at several numbers of connections, and between the rounds the bare work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.exposition import read_cpu
from bench.table import layout, number
from bench.target import Target
from bench.traffic import Generator, Traffic
from bench.workload import Workload

WARM_UP = 1.0  # seconds of load that nobody counts

Bare = Callable[[], float]  # one round; CPU microseconds an image


@dataclass(frozen=True)
class Level:
    """One number of connections; `cpu_us` is the CPU time of master and workers an image, None where unknown."""

    connections: int
    traffic: Traffic
    cpu_us: float | None


@dataclass(frozen=True)
class LoadFigures:
    """All levels of one run and the rounds of bare work between them, CPU microseconds an image."""

    images: int  # in one request
    levels: tuple[Level, ...]
    bare_us: tuple[float, ...]

    @property
    def errors(self) -> int:
        """Requests that were not answered with 200, of all levels."""
        return sum(level.traffic.errors for level in self.levels)

    def ratio(self, level: Level) -> float | None:
        """The server's CPU time an image over the median of the bare rounds."""
        return level.cpu_us / median(self.bare_us) if level.cpu_us and self.bare_us else None


def measure_load(
    generate: Generator,
    target: Target,
    workload: Workload,
    levels: Sequence[int],
    seconds: float,
    *,
    bare: Bare | None = None,
) -> LoadFigures:
    """Load at each level in turn. Bare rounds stand before, between and after them, never beside them.

    So both sides see the same quiet and busy minutes of the machine, and neither takes the other's CPU.
    """
    generate(target, workload, max(levels), min(WARM_UP, seconds))
    rounds = [bare()] if bare else []
    measured = []
    for connections in levels:
        measured.append(_measure_level(generate, target, workload, connections, seconds))
        rounds += [bare()] if bare else []
    return LoadFigures(workload.images, tuple(measured), tuple(rounds))


def load_table(figures: LoadFigures) -> str:
    """A row a level."""
    head = ("connections", "× bare", "CPU µs an image", "images/s", "p50 ms", "p99 ms", "max ms", "errors")
    return layout(head, [_row(level, figures) for level in figures.levels])


def bare_sentence(figures: LoadFigures) -> str:
    """What the ratio was taken to."""
    rounds = figures.bare_us
    if not rounds:
        return "bare: not measured"
    spread = f"median of {len(rounds)} rounds, {min(rounds):.0f} to {max(rounds):.0f}"
    return f"bare decode + ONNX Runtime, 1 thread: {median(rounds):.0f} µs of CPU an image ({spread})"


def _measure_level(generate: Generator, target: Target, workload: Workload, connections: int, seconds: float) -> Level:
    before = read_cpu(target)
    traffic = generate(target, workload, connections, seconds)
    after = read_cpu(target)
    if before is None or after is None or traffic.requests == 0:
        return Level(connections, traffic, None)
    return Level(connections, traffic, (after - before) / (traffic.requests * workload.images) * 1e6)


def _row(level: Level, figures: LoadFigures) -> tuple[str, ...]:
    traffic = level.traffic
    return (
        str(level.connections),
        number(figures.ratio(level), 2),
        number(level.cpu_us),
        number(traffic.requests * figures.images / traffic.seconds),
        number(traffic.p50_ms, 2),
        number(traffic.p99_ms, 2),
        number(traffic.max_ms),
        str(traffic.errors),
    )

"""`bench load`: load at several numbers of connections, compared with the baseline, which runs between the rounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from bench.clients.images import Workload
from bench.clients.traffic import Generator, Traffic
from bench.report import format_number, format_table
from bench.target import Target, read_cpu

WARM_UP = 1.0  # seconds of load that are not counted

Baseline = Callable[[], float]  # one round; CPU microseconds an image
CpuClock = Callable[[], float | None]  # CPU seconds of all processes of a service until now, None where unknown


@dataclass(frozen=True)
class Level:
    """One number of connections; `cpu_us` is the CPU time of master and workers an image, None where unknown."""

    connections: int
    traffic: Traffic
    cpu_us: float | None


@dataclass(frozen=True)
class LoadFigures:
    """All levels of one run, and the CPU microseconds an image of the baseline's rounds between them."""

    images: int  # in one request
    levels: tuple[Level, ...]
    baseline_us: tuple[float, ...]

    @property
    def errors(self) -> int:
        """Failed requests of all levels."""
        return sum(level.traffic.errors for level in self.levels)

    def ratio(self, level: Level) -> float | None:
        """The server's CPU time an image divided by the median of the baseline."""
        return level.cpu_us / median(self.baseline_us) if level.cpu_us and self.baseline_us else None


def measure_load(
    generate: Generator,
    target: Target,
    workload: Workload,
    levels: Sequence[int],
    seconds: float,
    *,
    baseline: Baseline | None = None,
) -> LoadFigures:
    """Load at each level in turn. The baseline runs before, between and after the levels, never at the same time.

    So both see the same quiet and busy minutes of the machine, and neither uses the other's CPU.
    """
    generate(target, workload, max(levels), min(WARM_UP, seconds))
    rounds = [baseline()] if baseline else []
    measured = []
    for connections in levels:
        cpu = partial(read_cpu, target)
        measured.append(measure_level(generate, target, workload, connections, seconds, cpu=cpu))
        rounds += [baseline()] if baseline else []
    return LoadFigures(workload.images, tuple(measured), tuple(rounds))


def load_table(figures: LoadFigures) -> str:
    """A row for each level."""
    head = ("connections", "× baseline", "CPU µs an image", "images/s", "p50 ms", "p99 ms", "max ms", "errors")
    return format_table(head, [_row(level, figures) for level in figures.levels])


def baseline_summary(figures: LoadFigures) -> str:
    """The baseline's median and range, as a sentence."""
    rounds = figures.baseline_us
    if not rounds:
        return "baseline: not measured"
    spread = f"median of {len(rounds)} rounds, {min(rounds):.0f} to {max(rounds):.0f}"
    return f"baseline, decode + ONNX Runtime, 1 thread: {median(rounds):.0f} µs of CPU an image ({spread})"


def measure_level(
    generate: Generator, target: Target, workload: Workload, connections: int, seconds: float, *, cpu: CpuClock
) -> Level:
    """One round of load, and the CPU time that the service's processes took for it by `cpu`."""
    before = cpu()
    traffic = generate(target, workload, connections, seconds)
    after = cpu()
    if before is None or after is None or traffic.requests == 0:
        return Level(connections, traffic, None)
    return Level(connections, traffic, (after - before) / (traffic.requests * workload.images) * 1e6)


def _row(level: Level, figures: LoadFigures) -> tuple[str, ...]:
    traffic = level.traffic
    return (
        str(level.connections),
        format_number(figures.ratio(level), 2),
        format_number(level.cpu_us),
        format_number(traffic.requests * figures.images / traffic.seconds),
        format_number(traffic.p50_ms, 2),
        format_number(traffic.p99_ms, 2),
        format_number(traffic.max_ms),
        str(traffic.errors),
    )

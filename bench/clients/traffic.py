"""The figures that every load generator reports: requests, seconds, latencies, errors."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.clients.images import Workload
from bench.target import Target


@dataclass(frozen=True)
class Traffic:
    """One round of load.

    An error is a status other than 200, a connection that failed, or a response that did not come in time.
    """

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float  # shows one client's long wait, which percentiles hide
    errors: int


class GeneratorFailed(Exception):
    """A load generator ended without figures; the text is the end of its output."""


Generator = Callable[[Target, Workload, int, float], Traffic]  # connections, then seconds


def parse_report(text: str) -> Traffic:
    """Read the line of JSON that ends a generator's output; raises GeneratorFailed where there is none."""
    lines = [line for line in text.splitlines() if line.startswith("{")]
    if not lines:
        raise GeneratorFailed(f"the load generator reported nothing: {text.strip()[-300:]!r}")
    report = json.loads(lines[-1])
    return Traffic(**{name: kind(report[name]) for name, kind in _FIELDS.items()})


_FIELDS = {"requests": int, "seconds": float, "p50_ms": float, "p99_ms": float, "max_ms": float, "errors": int}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed (nearest rank); NaN of none."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    rank = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, int(rank) - 1)]

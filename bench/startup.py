"""`bench start`: seconds from the start of the process to the first 200 of /readyz."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench.service_process import running_service


def measure_starts(environment: Mapping[str, str], models: Path, workers: int, rounds: int) -> list[float]:
    """Seconds of each start, until the first worker is ready.

    From the second start on, all files come from the page cache.
    """
    seconds = []
    for _ in range(rounds):
        with running_service(environment, models, workers) as (_target, ready_after):
            seconds.append(ready_after)
    return seconds


def start_summary(seconds: list[float]) -> str:
    """Minimum, median and maximum of the seconds, as a sentence."""
    figures = f"min {min(seconds):.2f} s, median {median(seconds):.2f} s, max {max(seconds):.2f} s"
    return f"from process start to ready, {len(seconds)} starts: {figures}"

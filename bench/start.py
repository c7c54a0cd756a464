"""How long a start takes: from the process's start to the first /readyz that says 200."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench.localservice import running_service


def measure_starts(environment: Mapping[str, str], models: Path, workers: int, rounds: int) -> list[float]:
    """Seconds of each start, over when the first worker is ready.

    From the second on, all files come from the page cache.
    """
    seconds = []
    for _ in range(rounds):
        with running_service(environment, models, workers) as (_target, ready_after):
            seconds.append(ready_after)
    return seconds


def start_sentence(seconds: list[float]) -> str:
    """Least, median and most."""
    figures = f"min {min(seconds):.2f} s, median {median(seconds):.2f} s, max {max(seconds):.2f} s"
    return f"from process start to ready, {len(seconds)} starts: {figures}"

"""The options of the benchmarks' command line."""

import argparse
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.target import Target, parse_target

RESULTS = Path(__file__).parent / "results"
DATA = Path("../shared/data")


@dataclass(frozen=True)
class Options:
    """The command line, read; `--help` explains each option."""

    benchmark: str
    url: Target | None
    model: str
    models: Path
    data: Path
    workers: int
    connections: list[int]
    seconds: float
    batch: int
    generator: str
    rounds: int
    trials: int
    results: Path


def read_options(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Read the arguments; exits with a usage message where they are not valid."""
    values = vars(_parser(environment).parse_args(arguments))
    if values["generator"] == "auto":
        values["generator"] = "wrk" if shutil.which("wrk") else "asyncio"
    return Options(**values)


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m bench",
        description="Compares the service with decoding and ONNX Runtime alone. Run it on an otherwise idle machine.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add(
        "benchmark",
        nargs="?",
        choices=("load", "start", "spread", "wire", "workers"),
        default="load",
        help="what to measure",
    )
    add("--url", type=parse_target, help="a running service; without it one is started and stopped again")
    add("--model", default="mnist", help="the model that is called")
    add("--models", type=Path, default=Path("models"), help="the model repository, also of the baseline")
    add(
        "--data",
        type=Path,
        default=Path(environment.get("CONVSERVE_DATA", DATA)),
        help="folder with mnist.npz and cifar10.tar.gz, or one of the two",
    )
    add("--workers", type=_positive, default=2, help="of the service that is started")
    add("--connections", type=_positive, nargs="+", default=[1, 8, 32], help="levels of load; spread takes the last")
    add("--seconds", type=float, default=5.0, help="of load at each level; at most, of a turn of wire or workers")
    add("--batch", type=_positive, default=1, help="images in one request; above 1 they are sent as .npy")
    add("--generator", choices=("auto", "wrk", "asyncio"), default="auto", help="wrk where it is installed")
    add("--rounds", type=_positive, default=5, help="of start and workers")
    add("--trials", type=_positive, default=20, help="of spread, for each arrival pattern, and rounds of wire")
    add("--results", type=Path, default=RESULTS, help="folder for the figures as JSON")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return value

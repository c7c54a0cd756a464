"""The benchmarks end to end: a short run against a real service with tiny models."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.commands import run_load, run_spread, run_wire
from bench.options import Options, read_options
from bench.service_process import running_service, wait_for_workers
from bench.target import Target
from modelrepo.errors import CorruptBundle

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("CONVSERVE_")}

Read = Callable[..., Options]


@pytest.fixture(scope="module")
def service(models: Path) -> Iterator[Target]:
    """A service with two workers, both ready."""
    with running_service(ENVIRONMENT, models, workers=2) as (target, _seconds):
        wait_for_workers(target, 2)
        yield target


@pytest.fixture
def options(service: Target, models: Path, tmp_path: Path) -> Read:
    """Reads arguments for that service; there is no data set, and the figures go to `tmp_path`."""
    nowhere = str(tmp_path / "no-data")
    fixed = ["--url", service.url, "--models", str(models), "--data", nowhere, "--results", str(tmp_path)]
    return lambda *arguments: read_options([*arguments, *fixed], {})


@pytest.mark.parametrize(
    "generator",
    [
        pytest.param("wrk", marks=pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")),
        "asyncio",
    ],
)
def test_every_level_gets_figures_and_a_ratio(
    generator: str, options: Read, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run_load(options("--seconds", "1", "--generator", generator), ENVIRONMENT)

    assert status == 0
    assert "golden images of the bundle" in capsys.readouterr().out
    figures = json.loads(next(tmp_path.glob("*-load.json")).read_text())["figures"]
    assert [level["connections"] for level in figures["levels"]] == [1, 8, 32]
    assert all(level["traffic"]["requests"] > 20 for level in figures["levels"])
    assert all(ratio > 1 for ratio in figures["ratios"].values())


def test_batches_can_be_measured(options: Read, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = options("--batch", "4", "--connections", "1", "--seconds", "0.3", "--generator", "asyncio")

    status = run_load(arguments, ENVIRONMENT)

    assert status == 0
    assert "4 a request as one array" in capsys.readouterr().out


def test_a_model_without_images_cannot_be_measured(options: Read) -> None:
    arguments = options("--connections", "1", "--seconds", "0.5", "--model", "nothing-of-this-name")

    with pytest.raises(CorruptBundle, match="golden images cannot be read"):
        run_load(arguments, ENVIRONMENT)


@pytest.mark.skipif(not Path("/proc/net/tcp").is_file(), reason="needs Linux's /proc")
def test_the_connections_of_each_worker_are_counted(options: Read, tmp_path: Path) -> None:
    run_spread(options("spread", "--trials", "2", "--connections", "6"), ENVIRONMENT)

    figures = json.loads(next(tmp_path.glob("*-spread.json")).read_text())["figures"]
    assert [sum(counts) for counts in figures["all at once"]] == [6, 6]


def test_every_encoding_is_sent_both_ways(options: Read, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = run_wire(options("wire", "--trials", "2", "--seconds", "0.01"), ENVIRONMENT)

    assert status == 0
    assert "as one request (batch) and as 32 (singles)" in capsys.readouterr().out
    rows = json.loads(next(tmp_path.glob("*-wire.json")).read_text())["figures"]["rows"]
    assert len(rows) == 9
    assert all(len(row["ratios"]) == 2 for row in rows)

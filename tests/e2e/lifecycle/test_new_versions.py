"""New versions under load: no request fails or waits, and a broken version is never served.

`make test` does it with two workers; the runs with four are marked `slow` (`make prove`).
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.support.bundles.copies import DAMAGE, copy_bundle
from tests.support.load.generator import Result, between, failures, percentile, traffic
from tests.support.processes.service import ROOT, RunningService, running, until

SOURCE = ROOT / "models" / "mnist" / "1"  # a real one: it has more to load and to verify than a tiny one
DIGIT = (SOURCE / "golden" / "03.png").read_bytes()
POLL = 0.2  # seconds
RELOADS = 20
BROKEN = dict(zip((4, 7, 11, 14, 18), DAMAGE.values(), strict=True))  # by the number of the version
QUIET, SETTLE = 0.4, 0.1  # seconds before a new version appears; and after it is served, for the others to have it
MILLISECOND = 0.001  # below it, the system's scheduler says how long a request takes
CONSISTENT = 1.0  # seconds within which all workers serve the same
WORKERS = pytest.mark.parametrize("workers", [2, pytest.param(4, marks=pytest.mark.slow)])


@dataclass(frozen=True)
class Swap:
    """A version, when it appeared in the repository, and when it was first seen to be served."""

    version: int
    published: float
    served: float


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "models"
    root.mkdir()
    copy_bundle(SOURCE, root / "mnist" / "1")
    return root


def reload_all(service: RunningService, repository: Path) -> Iterator[Swap]:
    """Publish version after version, each after a quiet time, and wait for what becomes of it."""
    for version in range(2, RELOADS + 2):
        time.sleep(QUIET)
        published = time.monotonic()
        copy_bundle(SOURCE, repository / "mnist" / str(version), BROKEN.get(version))
        wanted = {"version": str(version), "state": "UNAVAILABLE" if version in BROKEN else "READY"}
        until(partial(is_listed, service, wanted), f"version {version} was tried")
        if version not in BROKEN:
            yield Swap(version, published, time.monotonic())


def is_listed(service: RunningService, wanted: dict[str, str]) -> bool:
    """Whether the worker that answers now has this row in its index."""
    return any(wanted.items() <= row.items() for row in service.post("/v2/repository/index", b"").json())


@WORKERS
def test_twenty_reloads_five_of_them_broken_and_no_request_fails(repository: Path, workers: int) -> None:
    with running(repository, workers=workers, poll_interval=POLL) as service:
        with traffic(service.port, body=DIGIT, rate=300) as load:
            time.sleep(1)
            swaps = list(reload_all(service, repository))
            time.sleep(CONSISTENT + 0.5)
        results = load.results

    assert failures(results) == []
    assert len(swaps) == RELOADS - len(BROKEN)
    assert {result.version for result in results} == {1, *(swap.version for swap in swaps)}
    for swap in swaps:
        assert is_served_in_its_time(results, swap)
    before = [each for swap in swaps for each in between(results, swap.published - QUIET + SETTLE, swap.published)]
    during = [each for swap in swaps for each in between(results, swap.published, swap.served + SETTLE)]
    assert percentile(during, 0.99) < 3 * max(percentile(before, 0.99), MILLISECOND)


def is_served_in_its_time(results: list[Result], swap: Swap) -> bool:
    """Never before it was there, and nothing older once all workers must have it."""
    too_early = [each for each in results if each.version == swap.version and each.ended < swap.published]
    too_old = [each for each in results if each.due > swap.served + CONSISTENT and (each.version or 0) < swap.version]
    return not too_early and not too_old


@WORKERS
def test_a_bundle_that_is_written_slowly_is_served_only_when_complete(repository: Path, workers: int) -> None:
    source = copy_bundle(SOURCE, repository.parent / "elsewhere" / "mnist" / "2")
    target = repository / "mnist" / "2"
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    with running(repository, workers=workers, poll_interval=0.1) as service:
        with traffic(service.port, body=DIGIT, rate=200) as load:
            for file in reversed(files):  # `model.onnx` before the golden images, the metadata among the first
                write_slowly(source / file, target / file)
            whole = time.monotonic()
            until(partial(is_listed, service, {"version": "2", "state": "READY"}), "the whole bundle is served")
            time.sleep(CONSISTENT)
        results = load.results

        refused = service.get("/metrics").body.count(b'convserve_model_load_failures_total{model="mnist"')

    assert failures(results) == []
    assert {result.version for result in results} == {1, 2}
    assert all(result.version == 1 for result in results if result.ended < whole)
    assert refused > 0  # the pauses were long enough for the parts to be tried


def write_slowly(source: Path, target: Path) -> None:
    """Write a file in two parts, each left alone for as long as makes it look finished."""
    content = source.read_bytes()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        for part in (content[: len(content) // 2], content[len(content) // 2 :]):
            time.sleep(0.3)
            file.write(part)
            file.flush()

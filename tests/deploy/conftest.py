"""What the tests of the deployment share; those marked `docker` need a Docker engine (`make deploy-test`)."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import pytest

from tests.support.deploy.compose import Project, describe_project
from tests.support.deploy.docker import why_unavailable
from tests.support.deploy.kubernetes import FOLDER, Objects, build, read
from tests.support.load.generator import Load, Result, failures, percentile, traffic
from tests.support.processes.service import until

REPLICAS = 3
CALM = 3.0  # seconds of load before and after something happens

Report = Callable[[str, Sequence[Result], float], None]


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine, or the test is skipped with the reason."""
    if reason := why_unavailable():
        pytest.skip(reason)


@pytest.fixture(params=["as written", "development", "production"])
def objects(request: pytest.FixtureRequest) -> Objects:
    """What Kubernetes is given: the base as it is written, and each overlay as kustomize builds it."""
    return read(FOLDER / "base") if request.param == "as written" else overlay(request.param)


@pytest.fixture
def production() -> Objects:
    """The whole that production runs."""
    return overlay("production")


def overlay(name: str) -> Objects:
    """An overlay, or the test is skipped where nothing can build it."""
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl, which builds the overlays")
    return build(FOLDER / "overlays" / name)


@pytest.fixture(scope="session")
def running_project(engine: None) -> Iterator[Project]:  # noqa: ARG001  # skips where there is none
    """The Compose project with three replicas, from the working tree; nothing of it is left afterwards."""
    project = describe_project()
    try:
        project.build("service")
        project.up(REPLICAS)
        yield project
    finally:
        project.down()


@pytest.fixture
def project(running_project: Project) -> Project:
    """The same, with all its replicas whatever a test before did."""
    running_project.scale(REPLICAS)
    until(lambda: running_project.healthy() == REPLICAS, "all replicas are healthy", seconds=60)
    return running_project


def load(port: int, host: str = "127.0.0.1") -> AbstractContextManager[Load]:
    """What docs/operations.md says of the load: half of the clients keep their connections, each waits 10 seconds."""
    return traffic(port, host=host, rate=100.0, connections=16, timeout=10.0)


def timed_out(results: Sequence[Result]) -> list[Result]:
    """Those whose client waited in vain."""
    return [result for result in failures(results) if "timed out" in result.error]


def assert_only_those_under_way_lost(results: Sequence[Result]) -> None:
    """Lost are requests that a replica had when it died or was cut off: the balancer does not repeat them.

    They were all under way at one moment, and get 503 or 504 from the balancer, or no answer in time; nothing else may
    be answered with an error.
    """
    lost = [result for result in failures(results) if result in timed_out(results) or result.status in {503, 504}]

    assert failures(results) == lost
    assert max((each.sent for each in lost), default=0.0) <= min((each.ended for each in lost), default=0.0)


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Print a row of the table in docs/operations.md."""

    def print_row(what: str, results: Sequence[Result], recovered: float) -> None:
        late = len(timed_out(results))
        figures = (
            len(results),
            len(failures(results)) - late,
            late,
            f"{percentile(results, 1):.2f} s",
            f"{recovered:.0f} s",
        )
        with capsys.disabled():
            print(f"\n| {what} | {' | '.join(map(str, figures))} |")  # noqa: T201

    return print_row

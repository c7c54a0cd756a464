"""What the tests of the deployment share; those named `deploy_*` need a Docker engine and run by `make deploy-test`."""

import shutil

import pytest

from tests.support.engine import missing
from tests.support.kubernetes import FOLDER, Objects, build, read


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine, or the test is skipped with the reason."""
    if reason := missing():
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

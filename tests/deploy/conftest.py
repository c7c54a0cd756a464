"""What the tests of the deployment share; those named `deploy_*` need a Docker engine and run by `make deploy-test`."""

import pytest

from tests.support.engine import missing


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine, or the test is skipped with the reason."""
    if reason := missing():
        pytest.skip(reason)

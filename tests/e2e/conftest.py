"""What tests over HTTP share: a service of two workers, one a module, and Triton's client connected to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tritonclient.http import InferenceServerClient

from tests.support.http.triton_client import connect
from tests.support.processes.service import RunningService, running


@pytest.fixture(scope="module")
def service(models: Path) -> Iterator[RunningService]:
    with running(models, workers=2) as service:
        yield service


@pytest.fixture
def triton(service: RunningService) -> Iterator[InferenceServerClient]:
    with connect(service) as client:
        yield client

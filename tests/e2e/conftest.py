"""What tests over HTTP share: a service of two workers, one a module, and Triton's client connected to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tritonclient.http import InferenceServerClient

from tests.support.running import RunningService, running
from tests.support.triton import connect


@pytest.fixture(scope="module")
def service(models: Path) -> Iterator[RunningService]:
    with running(models, workers=2) as service:
        yield service


@pytest.fixture
def triton(service: RunningService) -> Iterator[InferenceServerClient]:
    with connect(service) as client:
        yield client

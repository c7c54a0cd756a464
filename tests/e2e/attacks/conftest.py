"""What tests of attacks share: a repository with a model of handwriting, and a service of two workers for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.attacks.run import publish_models
from tests.support.processes.service import RunningService, running


@pytest.fixture(scope="session")
def attacked_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def service(attacked_models: Path) -> Iterator[RunningService]:
    with running(attacked_models, workers=2) as service:
        yield service

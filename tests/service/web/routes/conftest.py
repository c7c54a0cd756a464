"""What tests of several protocols share: one service for many requests, and one where not every version is loaded."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.ipc.scoreboard import Scoreboard
from service.ipc.workspace import WorkerContext
from service.settings import Settings
from service.telemetry.metrics import Metrics, create_metrics
from tests.support.bundles.tiny import publish_tiny


@pytest.fixture
def damaged(settings: Settings, metrics: Metrics, context: WorkerContext, tmp_path: Path) -> FlaskClient:
    """A service whose `mnist` has a good version 1 and a damaged version 2, and whose `other` has nothing good."""
    models = tmp_path / "models"
    for name, version in (("mnist", 1), ("mnist", 2), ("other", 1)):
        publish_tiny(models, name, version)
    for path in (models / "mnist" / "2", models / "other" / "1"):
        (path / "model.onnx").write_bytes(b"?")
    return create_app(dataclasses.replace(settings, models=models), metrics, context, lambda _: None).test_client()


@pytest.fixture(scope="module")
def shared_client(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """One service for all requests of a file, which leave no state behind."""
    settings = Settings(models=models, workers=1, threads=1, max_body_bytes=1 << 20, max_images=8)
    context = WorkerContext(tmp_path_factory.mktemp("metrics"), 0, Scoreboard())
    metrics = create_metrics(context)
    yield create_app(settings, metrics, context, lambda _: None).test_client()
    metrics.files.close()

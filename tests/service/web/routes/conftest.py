"""What tests of several protocols share: a service where not every version could be loaded."""

import dataclasses
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.ipc.workspace import WorkerContext
from service.settings import Settings
from service.telemetry.metrics import Metrics
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

"""What all tests share: a repository of tiny models, and the chain settings → app → client."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.ipc.scoreboard import Scoreboard
from service.ipc.workspace import WorkerContext
from service.settings import Settings
from service.telemetry.metrics import Metrics, create_metrics
from tests.support.bundles.tiny import publish_tiny

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Where the real data sets are: CONVSERVE_DATA, else ../shared/data; a test that needs them is skipped without."""
    folder = Path(os.environ.get("CONVSERVE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("no data sets: CONVSERVE_DATA names no folder, and there is no ../shared/data")
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of `mnist` (a tiny grayscale model in its name, version 1 and 2) and `colour` (RGB); only read."""
    root = tmp_path_factory.mktemp("models")
    publish_tiny(root, "mnist", 1)
    publish_tiny(root, "mnist", 2)
    publish_tiny(root, "colour", 1, mode="rgb")
    return root


@pytest.fixture
def settings(models: Path) -> Settings:
    return Settings(models=models, workers=1, threads=1, max_body_bytes=1 << 20, max_pixels=1_000_000, max_images=8)


@pytest.fixture
def metrics_folder(tmp_path: Path) -> str:
    """Where workers keep their counts."""
    folder = tmp_path / "metrics"
    folder.mkdir()
    return str(folder)


@pytest.fixture
def worker_metrics(metrics_folder: str) -> Iterator[Callable[[int], Metrics]]:
    """What makes the metrics of the worker in a slot; their files are closed afterwards."""
    made: list[Metrics] = []

    def make(slot: int) -> Metrics:
        made.append(create_metrics(WorkerContext(Path(metrics_folder), slot, Scoreboard())))
        return made[-1]

    yield make
    for each in made:
        each.files.close()


@pytest.fixture
def metrics(worker_metrics: Callable[[int], Metrics]) -> Metrics:
    return worker_metrics(0)


@pytest.fixture
def context(metrics_folder: str) -> WorkerContext:
    return WorkerContext(Path(metrics_folder), 0, Scoreboard())


@pytest.fixture
def log() -> list[bytes]:
    """The lines of the access log."""
    return []


@pytest.fixture
def app(settings: Settings, metrics: Metrics, context: WorkerContext, log: list[bytes]) -> Flask:
    return create_app(settings, metrics, context, log.append)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()

"""The metric says what `/readyz` says."""

import time

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry

from service.inference.model_version import LoadedVersion
from service.inference.registry import ModelRegistry
from service.ipc.workspace import WorkerContext
from service.lifecycle.readiness import Readiness
from service.telemetry.metrics import Metrics
from tests.support.bundles.fake_predictors import predictor

SERVED = LoadedVersion("mnist", 1, predictor())
REFUSED = LoadedVersion("mnist", 1, None, "broken", "graph")


@pytest.mark.parametrize(
    ("versions", "is_shutting_down", "problems"),
    [
        ([SERVED], False, []),
        ([], False, ["the model repository is empty"]),
        ([REFUSED], False, ["no version of mnist could be loaded"]),
        ([SERVED], True, ["shutting down"]),
        ([REFUSED], True, ["no version of mnist could be loaded", "shutting down"]),
    ],
    ids=["ready", "empty", "refused", "ending", "refused and ending"],
)
def test_ready_is_who_has_no_problem(
    versions: list[LoadedVersion], is_shutting_down: bool, problems: list[str]
) -> None:
    readiness = Readiness(ModelRegistry(versions, "mnist"), lambda: is_shutting_down)
    registry = CollectorRegistry()
    registry.register(readiness)

    assert readiness.problems() == problems
    assert registry.get_sample_value("convserve_ready") == (not problems)


def test_route_and_metric_change_together(client: FlaskClient, metrics: Metrics, context: WorkerContext) -> None:
    before = client.get("/readyz").status_code, metrics.scrape.get_sample_value("convserve_ready")
    context.scoreboard.announce_shutdown(time.monotonic(), shared=False)
    after = client.get("/readyz").status_code, metrics.scrape.get_sample_value("convserve_ready")

    assert (before, after) == ((200, 1), (503, 0))

"""One rule of readiness, and the metric that says what `/readyz` says."""

import time

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry

from modelrepo.policy import ServingPolicy
from service.inference.model_version import FailedVersion, LoadedVersion, ModelVersion, PendingVersion, UnloadedVersion
from service.inference.registry import ModelRegistry
from service.ipc.workspace import WorkerContext
from service.lifecycle.readiness import Readiness
from service.telemetry.metrics import Metrics
from tests.support.bundles.fake_predictors import predictor

SERVED = LoadedVersion("mnist", 1, predictor())
OTHER = LoadedVersion("other", 1, predictor("other"))
FAILED = FailedVersion("mnist", 1, "broken", "graph")
UNLOADED = UnloadedVersion("mnist", 1)
LOADING = PendingVersion("mnist", 2, time.time() + 1e6)  # by a clock that was set back since


@pytest.mark.parametrize(
    ("versions", "is_shutting_down", "problems"),
    [
        ([SERVED], False, []),
        ([], False, ["the model repository is empty"]),
        ([FAILED], False, ["no version of mnist could be loaded"]),
        ([SERVED, FailedVersion("mnist", 2, "broken", "graph")], False, []),
        ([UNLOADED, OTHER], False, []),
        ([SERVED], True, ["shutting down"]),
        ([FAILED], True, ["no version of mnist could be loaded", "shutting down"]),
        ([LOADING], False, ["mnist version 2 has been loading for 0 s"]),
        ([FAILED, LOADING], False, ["mnist version 2 has been loading for 0 s"]),
        ([SERVED, LOADING], False, []),
    ],
    ids=[
        "ready",
        "empty",
        "failed",
        "an older version is loaded",
        "unloaded",
        "ending",
        "failed and ending",
        "loading",
        "failed and loading",
        "an older version is loaded meanwhile",
    ],
)
def test_ready_is_who_has_no_problem(versions: list[ModelVersion], is_shutting_down: bool, problems: list[str]) -> None:
    readiness = Readiness(ModelRegistry(versions, "mnist"), lambda: is_shutting_down)
    registry = CollectorRegistry()
    registry.register(readiness)

    assert readiness.problems() == problems
    assert registry.get_sample_value("convserve_ready") == (not problems)


@pytest.mark.parametrize(("required", "problems"), [({"mnist"}, ["no version of mnist could be loaded"]), (set(), [])])
def test_a_failed_model_is_a_problem_where_it_is_required(required: set[str], problems: list[str]) -> None:
    registry = ModelRegistry([], "mnist")

    registry.replace([FAILED, OTHER], ServingPolicy(2), required=required)

    assert Readiness(registry, lambda: False).problems() == problems
    assert registry.load_failures() == {"mnist/1": "broken"}


def test_route_and_metric_change_together(client: FlaskClient, metrics: Metrics, context: WorkerContext) -> None:
    before = client.get("/readyz").status_code, metrics.scrape.get_sample_value("convserve_ready")
    context.scoreboard.announce_shutdown(time.monotonic(), shared=False)
    after = client.get("/readyz").status_code, metrics.scrape.get_sample_value("convserve_ready")

    assert (before, after) == ((200, 1), (503, 0))

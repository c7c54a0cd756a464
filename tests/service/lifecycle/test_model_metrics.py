"""The metrics about models: what was loaded, what failed, and what of the repository cannot be read."""

from modelrepo.policy import ServingPolicy
from service.inference.model_version import FailedVersion, LoadedVersion, PendingVersion
from service.inference.predictor import Predictor
from service.inference.registry import NO_PROBLEMS, RepositoryProblems
from service.ipc.scoreboard import Scoreboard
from service.ipc.workspace import WorkerContext
from service.lifecycle.model_metrics import ModelInfoCollector, ModelLoadingCollector, count_loads
from service.lifecycle.planner import Plan
from service.lifecycle.version_cache import LoadAttempt
from service.lifecycle.worker_status import WorkerStatuses
from service.telemetry.metrics import Metrics
from tests.support.bundles.fake_predictors import LIMITS, always_left
from tests.support.bundles.tiny import tiny_metadata

LOADED = LoadedVersion("mnist", 1, Predictor(tiny_metadata("mnist"), "abc", always_left, LIMITS))
FAILED = FailedVersion("mnist", 2, "model.onnx is missing", "corrupt")


def plan(*attempts: LoadAttempt, problems: RepositoryProblems = NO_PROBLEMS) -> Plan:
    return Plan("digest", 0, [], ServingPolicy(2), list(attempts), problems, frozenset())


def failures(metrics: Metrics, model: str, version: str, reason: str) -> float | None:
    labels = {"model": model, "version": version, "reason": reason}
    return metrics.scrape.get_sample_value("convserve_model_load_failures_total", labels)


def test_a_loaded_version_counts_by_its_seconds_and_a_failed_one_by_its_word(metrics: Metrics) -> None:
    count_loads(metrics, plan(LoadAttempt(LOADED, 0.5), LoadAttempt(FAILED, 0.25)))

    assert metrics.scrape.get_sample_value("convserve_model_load_seconds_sum", {"model": "mnist"}) == 0.5
    assert failures(metrics, "mnist", "2", "corrupt") == 1


def test_what_cannot_be_read_counts_by_what_it_is(metrics: Metrics) -> None:
    problems = RepositoryProblems("cannot be read", "serving.json is not JSON", {"mnist": "cannot be read"})

    count_loads(metrics, plan(problems=problems))

    assert failures(metrics, "mnist", "", "unreadable") == 1
    assert failures(metrics, "", "", "serving.json") == 1
    assert failures(metrics, "", "", "repository") == 1


def test_every_loaded_version_of_any_worker_has_one_sample(context: WorkerContext) -> None:
    scoreboard = Scoreboard()
    for slot in range(2):
        scoreboard.enter(slot, slot + 1)
        WorkerStatuses(WorkerContext(context.folder, slot, scoreboard)).write("plan", 0, [LOADED, FAILED])

    (info,) = ModelInfoCollector(WorkerStatuses(WorkerContext(context.folder, 0, scoreboard))).collect()

    assert [sample.labels for sample in info.samples] == [{"model": "mnist", "version": "1", "sha256": "abc"}]


def test_a_version_that_is_loading_has_the_time_since_when_any_worker_loads_it(context: WorkerContext) -> None:
    scoreboard = Scoreboard()
    for slot, since in enumerate((200.0, 100.0)):
        scoreboard.enter(slot, slot + 1)
        statuses = WorkerStatuses(WorkerContext(context.folder, slot, scoreboard))
        statuses.write("plan", 0, [LOADED, PendingVersion("mnist", 2, since)])

    (loading,) = ModelLoadingCollector(WorkerStatuses(WorkerContext(context.folder, 0, scoreboard))).collect()

    assert [(sample.labels, sample.value) for sample in loading.samples] == [
        ({"model": "mnist", "version": "2"}, 100.0)
    ]

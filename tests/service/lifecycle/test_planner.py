"""What is to be served, as the repository, its policy and the model control change."""

import shutil
from pathlib import Path

import pytest

from modelrepo.repository import ModelRepository
from service.inference.model_version import LoadedVersion
from service.inference.registry import NO_PROBLEMS, RepositoryProblems
from service.ipc.worker_warnings import WorkerWarnings
from service.lifecycle.model_control import ControlFile, ControlState
from service.lifecycle.planner import Plan, Planner
from service.lifecycle.trials import NoTrials
from service.lifecycle.version_cache import VersionCache
from tests.support.bundles.fake_predictors import open_fake, publish

NO_REQUESTS = ControlState()


class Locked(ModelRepository):
    """Where a file named so forbids to look into a model's folder; a test that runs as root could not be kept out."""

    def versions(self, name: str) -> list[int]:
        if (self.root / name / "locked").exists():
            raise PermissionError("somebody else's")
        return super().versions(name)


def planner(models: Path, kind: type[ModelRepository] = ModelRepository) -> Planner:
    repository = kind(models)
    shared = models.parent / f"{models.name}-shared"
    shared.mkdir(exist_ok=True)
    return Planner(repository, 2, VersionCache(repository, open_fake, NoTrials()), shared)


def served(plan: Plan) -> list[int]:
    return sorted(each.version for each in plan.versions if isinstance(each, LoadedVersion))


def test_all_that_is_there_at_the_start_is_served_at_once(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)

    assert served(planner(tmp_path).start(NO_REQUESTS)) == [1, 2]


def test_a_new_bundle_is_left_for_the_second_look(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    one = planner(tmp_path)
    one.start(NO_REQUESTS)
    publish(tmp_path, "mnist", 2)

    assert [served(one.follow(NO_REQUESTS)) for _ in range(2)] == [[1], [1, 2]]


def test_a_plan_for_the_same_is_the_same_in_every_worker(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    old = planner(tmp_path)
    before = old.start(NO_REQUESTS)
    publish(tmp_path, "mnist", 2)
    old.follow(NO_REQUESTS)
    after = old.follow(NO_REQUESTS)

    assert planner(tmp_path).start(NO_REQUESTS).digest == after.digest
    assert after.digest != before.digest


def test_a_bundle_that_goes_while_it_is_looked_at_is_gone_at_the_next_look(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    one = planner(tmp_path)
    one.start(NO_REQUESTS)
    (tmp_path / "mnist" / "2" / "metadata.json").unlink()
    half = one.follow(NO_REQUESTS)
    shutil.rmtree(tmp_path / "mnist" / "2")
    gone = one.follow(NO_REQUESTS)

    assert (served(half), served(gone)) == ([1, 2], [1])
    assert half.digest != gone.digest


def test_a_load_request_is_followed_at_the_first_look(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    one = planner(tmp_path)
    one.start(NO_REQUESTS)
    publish(tmp_path, "mnist", 2)

    assert served(one.follow(ControlState(1, loads={"mnist": 1}))) == [1, 2]


def test_a_load_request_is_about_its_model_alone(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    publish(tmp_path, "other", 1)
    one = planner(tmp_path)
    one.start(NO_REQUESTS)
    publish(tmp_path, "mnist", 2)
    publish(tmp_path, "other", 2)

    plan = one.apply(ControlState(1, loads={"mnist": 1}))

    assert {(each.name, each.version) for each in plan.versions} == {("mnist", 1), ("mnist", 2), ("other", 1)}
    assert plan.generation == 1


def test_an_unloaded_model_is_not_served_until_it_is_loaded(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    one = planner(tmp_path)

    assert served(one.start(ControlState(1, frozenset({"mnist"})))) == []
    assert served(one.apply(ControlState(2, loads={"mnist": 2}))) == [1]


def test_a_repository_that_cannot_be_read_is_served_as_before(tmp_path: Path) -> None:
    models = tmp_path / "models"
    publish(models, "mnist", 1)
    one = planner(models)
    one.start(NO_REQUESTS)
    models.rename(tmp_path / "away")

    plan = one.follow(NO_REQUESTS)

    assert served(plan) == [1]
    assert plan.problems == RepositoryProblems(
        repository="cannot be read: [Errno 2] No such file or directory: 'models'"
    )


def test_a_model_that_cannot_be_read_is_served_as_before_and_stops_no_other(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    one = planner(tmp_path, Locked)
    one.start(NO_REQUESTS)
    (tmp_path / "mnist" / "locked").touch()
    publish(tmp_path, "mnist", 2)
    publish(tmp_path, "other", 3)
    one.follow(NO_REQUESTS)

    plan = one.follow(NO_REQUESTS)

    assert served(plan) == [1, 3]
    assert plan.problems == RepositoryProblems(models={"mnist": "cannot be read: somebody else's"})


@pytest.mark.parametrize("text", ["{", '{"versions": 0}', '{"version": 1}', "[]", '{"models": {"mnist": 1}}'])
def test_a_policy_that_cannot_be_followed_leaves_the_one_before(tmp_path: Path, text: str) -> None:
    publish(tmp_path, "mnist", 1, 2)
    (tmp_path / "serving.json").write_text('{"versions": 1}')
    one = planner(tmp_path)
    one.start(NO_REQUESTS)
    (tmp_path / "serving.json").write_text(text)

    plan = one.follow(NO_REQUESTS)

    assert served(plan) == [2]
    assert plan.problems.policy.startswith("serving.json")


def test_a_service_that_starts_with_such_a_policy_says_that_it_follows_none(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    (tmp_path / "serving.json").write_text("{")

    plan = planner(tmp_path).start(NO_REQUESTS)

    assert plan.problems.policy.startswith("serving.json is not JSON")
    assert plan.problems.policy.endswith("no policy is followed")
    assert planner(tmp_path).start(NO_REQUESTS).digest == plan.digest


def test_a_worker_that_starts_with_such_a_policy_follows_what_the_others_do(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    (tmp_path / "serving.json").write_text('{"models": {"mnist": {"versions": [1, 2], "default": 1}}}')
    old = planner(tmp_path)
    old.start(NO_REQUESTS)
    (tmp_path / "serving.json").write_text("{")

    assert planner(tmp_path).start(NO_REQUESTS).digest == old.follow(NO_REQUESTS).digest


def test_every_request_raises_the_generation_that_all_workers_read(tmp_path: Path) -> None:
    mine, theirs = ControlFile(tmp_path), ControlFile(tmp_path)

    generations = [mine.unload("mnist"), theirs.unload("other"), mine.load("mnist")]

    assert generations == [1, 2, 3]
    assert theirs.read() == ControlState(3, frozenset({"other"}), {"mnist": 3})
    assert theirs.read().loads_since(2) == {"mnist": 3}
    assert theirs.read().loads_since(3) == {}


def test_a_policy_is_followed_although_it_cannot_be_left_for_later_workers(tmp_path: Path) -> None:
    repository = ModelRepository(tmp_path / "models")
    publish(repository.root, "mnist", 1, 2)
    (repository.root / "serving.json").write_text('{"versions": 1}')
    warnings = WorkerWarnings()
    cache = VersionCache(repository, open_fake, NoTrials())

    plan = Planner(repository, 2, cache, tmp_path / "missing", warnings).start(NO_REQUESTS)

    assert (served(plan), plan.problems) == ([2], NO_PROBLEMS)
    assert warnings.sentences.keys() == {"shared/serving.json", "shared/required.json"}


def test_a_repository_that_is_as_it_was_has_the_same_plan(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    one = planner(tmp_path)
    one.start(NO_REQUESTS)
    before = one.follow(NO_REQUESTS)
    same = one.follow(NO_REQUESTS)
    (tmp_path / "mnist" / "1" / "model.onnx").touch()
    changed = [one.follow(NO_REQUESTS) for _ in range(2)]

    assert same is before
    assert before not in changed

"""A repository that vanishes, is replaced or is large: what is served stays, and little time is spent on looking."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from modelrepo.repository import ModelRepository
from service.inference.model_version import LoadedVersion
from service.lifecycle.model_control import ControlState
from service.lifecycle.planner import Plan, Planner
from service.lifecycle.snapshot import EMPTIED, VANISHED
from service.lifecycle.trials import NoTrials
from service.lifecycle.version_cache import VersionCache
from tests.support.bundles.fake_predictors import open_fake, publish

NO_REQUESTS = ControlState()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    root = tmp_path / "models"
    publish(root, "mnist", 1)
    publish(root, "other", 1)
    return root


def planner(root: Path) -> Planner:
    repository = ModelRepository(root)
    shared = root.parent / "shared"
    shared.mkdir(exist_ok=True)
    return Planner(repository, 2, VersionCache(repository, open_fake, NoTrials()), shared)


def started(root: Path) -> Planner:
    one = planner(root)
    one.start(NO_REQUESTS)
    return one


def served(plan: Plan) -> set[tuple[str, int]]:
    return {(each.name, each.version) for each in plan.versions if isinstance(each, LoadedVersion)}


BOTH = {("mnist", 1), ("other", 1)}


def empty_in_place(root: Path) -> None:
    for each in root.iterdir():
        shutil.rmtree(each)


def unmount(root: Path) -> None:
    """Another folder is where the repository was, with nothing in it."""
    root.rename(root.with_name("away"))
    root.mkdir()


def remove(root: Path) -> None:
    root.rename(root.with_name("away"))


def unlink_target(root: Path) -> None:
    root.rename(root.with_name("away"))
    root.symlink_to("nowhere")


def become_a_file(root: Path) -> None:
    root.rename(root.with_name("away"))
    root.touch()


@pytest.mark.parametrize("vanish", [empty_in_place, unmount, remove, unlink_target, become_a_file])
def test_everything_gone_at_once_is_no_removal(
    models: Path, vanish: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    (models / "serving.json").write_text('{"models": {"mnist": {"default": 1}}}')
    one = started(models)
    (models / "serving.json").unlink()
    one.follow(NO_REQUESTS)
    vanish(models)
    plans = [one.follow(NO_REQUESTS) for _ in range(3)]

    assert [served(plan) for plan in plans] == [BOTH] * 3
    assert all(plan.problems.repository.startswith("cannot be read") for plan in plans)
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len([line for line in lines if "what was served before is served on" in line.getMessage()]) == 1


def test_a_policy_does_not_go_with_an_unmounted_repository(models: Path) -> None:
    publish(models, "mnist", 2)
    (models / "serving.json").write_text('{"models": {"mnist": {"default": 1, "versions": 1}}}')
    one = started(models)
    unmount(models)

    plan = one.follow(NO_REQUESTS)

    assert plan.policy.of("mnist").default == 1
    assert VANISHED in plan.problems.repository


def test_a_repository_that_comes_back_is_followed_again_and_nothing_is_loaded_again(models: Path) -> None:
    one = started(models)
    before = one.follow(NO_REQUESTS)
    unmount(models)
    one.follow(NO_REQUESTS)
    models.rmdir()
    models.with_name("away").rename(models)
    publish(models, "mnist", 2)
    plans = [one.follow(NO_REQUESTS) for _ in range(2)]

    assert [plan.problems.repository for plan in plans] == ["", ""]
    assert served(plans[1]) == BOTH | {("mnist", 2)}
    kept = {id(each) for each in plans[1].versions} & {id(each) for each in before.versions}
    assert len(kept) == 2


def test_a_worker_that_starts_while_the_repository_is_unmounted_says_that_models_are_missing(models: Path) -> None:
    started(models)
    unmount(models)

    plan = planner(models).start(NO_REQUESTS)

    assert VANISHED in plan.problems.repository
    assert plan.required == {"mnist", "other"}


def test_a_new_repository_that_is_empty_has_no_problem(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()

    assert planner(tmp_path / "models").start(NO_REQUESTS).problems.repository == ""


def test_models_that_are_removed_one_after_the_other_are_gone(models: Path) -> None:
    (models / "serving.json").write_text("{}")
    one = started(models)
    shutil.rmtree(models / "mnist")
    first = one.follow(NO_REQUESTS)
    shutil.rmtree(models / "other")
    second = one.follow(NO_REQUESTS)

    assert (served(first), served(second)) == ({("other", 1)}, set())
    assert second.problems.repository == ""


@pytest.mark.parametrize("by", ["rename", "link"])
def test_another_release_takes_the_place_of_the_repository_without_a_gap(tmp_path: Path, by: str) -> None:
    publish(tmp_path / "releases" / "1", "mnist", 1)
    publish(tmp_path / "releases" / "2", "mnist", 2)
    models = tmp_path / "models"
    if by == "link":
        models.symlink_to("releases/1")
    else:
        (tmp_path / "releases" / "1").rename(models)
    one = started(models)
    if by == "link":
        (tmp_path / "next").symlink_to("releases/2")
        (tmp_path / "next").rename(models)
    else:
        models.rename(tmp_path / "old")
        (tmp_path / "releases" / "2").rename(models)
    plans = [one.follow(NO_REQUESTS) for _ in range(4)]

    assert served(plans[0]) == {("mnist", 1)}
    assert served(plans[-1]) == {("mnist", 2)}
    assert all(served(plan) and not plan.problems.repository for plan in plans)


def test_a_model_whose_own_folder_is_unmounted_is_served_on(models: Path) -> None:
    one = started(models)
    (models / "mnist").rename(models.with_name("away"))
    (models / "mnist").mkdir()

    plan = one.follow(NO_REQUESTS)

    assert (served(plan), plan.problems.models) == (BOTH, {"mnist": EMPTIED})


def test_a_model_that_is_a_link_to_nothing_is_served_on(models: Path, tmp_path: Path) -> None:
    (models / "mnist").rename(tmp_path / "away")
    (models / "mnist").symlink_to(tmp_path / "away")
    one = started(models)
    (tmp_path / "away").rename(tmp_path / "elsewhere")

    plan = one.follow(NO_REQUESTS)

    assert served(plan) == BOTH
    assert plan.problems.models["mnist"].startswith("cannot be read")


def test_a_model_whose_versions_are_removed_is_gone(models: Path) -> None:
    one = started(models)
    shutil.rmtree(models / "mnist" / "1")

    assert served(one.follow(NO_REQUESTS)) == {("other", 1)}


def test_of_many_old_versions_only_the_names_are_read(models: Path) -> None:
    publish(models, "mnist", 5001, 5002)
    for version in range(2, 5001):
        (models / "mnist" / str(version)).mkdir()
    one = started(models)
    one.follow(NO_REQUESTS)
    pause = one.pause
    taken = one._followed.snapshot.bundles.taken
    publish(models, "mnist", 5003)
    plans = [one.follow(NO_REQUESTS) for _ in range(2)]

    assert taken.keys() == {("mnist", 5001), ("mnist", 5002), ("other", 1)}
    assert 0 < pause < 10
    assert served(plans[1]) == {("mnist", 5002), ("mnist", 5003), ("other", 1)}

"""A running service follows changes of its model folder."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from preprocessing.png import encode_png
from tests.support.bundles.copies import copy_bundle, flip_a_bit
from tests.support.bundles.policy import set_policy, write_policy
from tests.support.bundles.tiny import publish_tiny
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import RunningService, everywhere, refusals, running, until

POLL = 0.05
PNG = encode_png(tiny_image(1))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "models"
    publish_tiny(root, "mnist", 1)
    publish_tiny(root, "mnist", 2)
    return root


@pytest.fixture
def service(repository: Path) -> Iterator[RunningService]:
    with running(repository, workers=2, poll_interval=POLL) as service:
        yield service


def answering(service: RunningService) -> int:
    response = service.post("/predict", PNG, content_type="image/png").json()
    version: int = response.get("model_version", response.get("error"))
    return version


def loaded(service: RunningService, name: str = "mnist") -> dict[int, str]:
    """The versions of a model, each with its state."""
    response = service.get(f"/models/{name}").json()
    return {row["version"]: row["state"] for row in response.get("versions", [])}


def test_a_new_version_takes_the_place_of_the_oldest(service: RunningService, repository: Path) -> None:
    publish_tiny(repository, "mnist", 3)

    everywhere(lambda: loaded(service) == {2: "READY", 3: "READY"})

    assert answering(service) == 3


def test_a_new_model_is_served(service: RunningService, repository: Path) -> None:
    publish_tiny(repository, "colour", 1, mode="rgb")

    everywhere(lambda: loaded(service, "colour") == {1: "READY"})

    assert service.post("/models/colour/predict", PNG).status == 200


def test_a_removed_bundle_is_retired_and_the_one_before_answers(service: RunningService, repository: Path) -> None:
    shutil.rmtree(repository / "mnist" / "2")

    everywhere(lambda: loaded(service) == {1: "READY"})

    assert answering(service) == 1


def test_a_removed_model_is_gone(service: RunningService, repository: Path) -> None:
    publish_tiny(repository, "colour", 1, mode="rgb")
    everywhere(lambda: loaded(service, "colour") == {1: "READY"})

    shutil.rmtree(repository / "mnist")

    everywhere(lambda: loaded(service) == {})
    assert service.get("/models/mnist").status == 404
    until(lambda: b'convserve_model_info{model="mnist"' not in service.get("/metrics").body, "the metric is gone, too")


def test_a_bundle_that_turns_bad_on_disk_is_served_as_it_was(service: RunningService, repository: Path) -> None:
    flip_a_bit(repository / "mnist" / "2")

    everywhere(lambda: "mnist/2" in refusals(service), "the change was seen")

    assert "another SHA-256" in refusals(service)["mnist/2"]
    assert loaded(service) == {1: "READY", 2: "READY"}
    assert answering(service) == 2
    assert service.get("/readyz").status == 200


def test_a_bundle_that_is_mended_is_served(service: RunningService, repository: Path) -> None:
    broken = copy_bundle(repository / "mnist" / "2", repository / "mnist" / "3", flip_a_bit)
    everywhere(lambda: loaded(service) == {1: "READY", 2: "READY", 3: "UNAVAILABLE"})

    flip_a_bit(broken)

    everywhere(lambda: loaded(service) == {2: "READY", 3: "READY"})


def test_a_new_model_that_is_broken_from_the_first_does_not_make_the_service_unready(
    service: RunningService, repository: Path
) -> None:
    copy_bundle(repository / "mnist" / "2", repository / "late" / "1", flip_a_bit)
    everywhere(lambda: "late/1" in refusals(service), "it was tried")
    before = service.get("/readyz").status

    service.reload()

    assert (before, service.get("/readyz").status) == (200, 200)
    assert service.get("/v2/models/late/ready").status == 503


def test_a_repository_that_vanishes_takes_no_model_with_it(service: RunningService, repository: Path) -> None:
    repository.rename(repository.with_name("away"))

    everywhere(lambda: "repository" in refusals(service), "the loss was seen")

    assert answering(service) == 2
    repository.with_name("away").rename(repository)
    everywhere(lambda: refusals(service) == {}, "it is back")


@pytest.mark.parametrize(
    ("policy", "expected", "default"),
    [
        pytest.param({"models": {"mnist": {"default": 1}}}, {1: "READY", 2: "READY"}, 1, id="rollback"),
        pytest.param({"versions": 1}, {2: "READY"}, 2, id="one for all"),
        pytest.param({"models": {"mnist": {"versions": [1]}}}, {1: "READY"}, 1, id="a list"),
        pytest.param({"versions": 1, "models": {"mnist": {"default": 1}}}, {1: "READY", 2: "READY"}, 1, id="named too"),
        pytest.param(
            {"models": {"mnist": {"versions": [2, 7]}}}, {2: "READY", 7: "UNAVAILABLE"}, 2, id="one that is missing"
        ),
    ],
)
def test_serving_json_says_what_is_loaded_and_what_answers(
    service: RunningService, repository: Path, policy: dict[str, Any], expected: dict[int, str], default: int
) -> None:
    write_policy(repository, policy)
    everywhere(lambda: (loaded(service), answering(service)) == (expected, default), "the policy is followed")

    (repository / "serving.json").unlink()

    everywhere(lambda: (loaded(service), answering(service)) == ({1: "READY", 2: "READY"}, 2), "all is as before")


def test_a_policy_that_cannot_be_followed_changes_nothing(service: RunningService, repository: Path) -> None:
    set_policy(repository, default=1)
    everywhere(lambda: answering(service) == 1, "the policy is followed")

    set_policy(repository, defualt=2)
    everywhere(lambda: "serving.json" in refusals(service), "the new one was read")

    assert "models.mnist.defualt: is not known here" in refusals(service)["serving.json"]
    assert answering(service) == 1
    assert service.get("/readyz").status == 200


def test_a_worker_that_takes_the_place_of_another_knows_the_policy(service: RunningService, repository: Path) -> None:
    set_policy(repository, default=1)
    everywhere(lambda: answering(service) == 1, "the policy is followed")

    service.reload()

    assert {answering(service) for _ in range(12)} == {1}


def test_without_polling_nothing_changes_by_itself(repository: Path) -> None:
    with running(repository, workers=1, poll_interval=0) as service:
        publish_tiny(repository, "mnist", 3)
        time.sleep(0.5)

        assert loaded(service) == {1: "READY", 2: "READY"}

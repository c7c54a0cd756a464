"""`serving.json`, read strictly: a word that is not known would be taken for one that works."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelrepo.errors import InvalidPolicy
from modelrepo.policy import MAX_POLICY, ModelPolicy, ServingPolicy, Share, read_policy
from modelrepo.repository import ModelRepository


def read(folder: Path, document: Any) -> ServingPolicy:
    (folder / "serving.json").write_text(document if isinstance(document, str) else json.dumps(document))
    return read_policy(ModelRepository(folder), 2)


def test_without_the_file_the_given_number_holds(tmp_path: Path) -> None:
    assert read_policy(ModelRepository(tmp_path), 2) == ServingPolicy(2)


@pytest.mark.parametrize(
    ("document", "policy"),
    [
        pytest.param({}, ServingPolicy(2), id="nothing"),
        pytest.param({"versions": 3}, ServingPolicy(3), id="a number"),
        pytest.param({"versions": [1, 4]}, ServingPolicy((1, 4)), id="a list"),
        pytest.param({"models": {"a": {}}}, ServingPolicy(2, {"a": ModelPolicy(2)}), id="an empty model"),
        pytest.param(
            {"versions": 3, "models": {"a": {"default": 1}}},
            ServingPolicy(3, {"a": ModelPolicy(3, default=1)}),
            id="a model takes what holds for all",
        ),
        pytest.param(
            {"models": {"a": {"versions": [2], "canary": {"share": 0.25}, "shadow": {"share": 1, "version": 3}}}},
            ServingPolicy(2, {"a": ModelPolicy((2,), canary=Share(0.25), shadow=Share(1.0, 3))}),
            id="trials",
        ),
    ],
)
def test_what_is_written_is_read(tmp_path: Path, document: Any, policy: ServingPolicy) -> None:
    assert read(tmp_path, document) == policy


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("{", "serving.json is not JSON"),
        ('{"models": {"\\ud800": {}}}', "serving.json is not JSON"),
        ('{"versions": 1, "versions": 2}', "serving.json is not JSON: it has 'versions' twice"),
        ("[" * 100, "serving.json is not JSON"),
        ("9" * 4400, "serving.json is not JSON"),
        ({"versions": list(range(1, 1002))}, "versions: must have at most 1000 versions, not 1001"),
        ([], r"\(document\): must be an object"),
        ({"version": 2}, "version: is not known here; known are versions, models"),
        ({"versions": 0}, "versions: must be an integer of at least 1, not 0"),
        ({"versions": True}, "versions: must be an integer"),
        ({"versions": [0]}, r"versions\[0\]: must be an integer of at least 1"),
        ({"versions": [10**15]}, "versions: must be at most 999999999999999, not 1000000000000000"),
        ({"models": {"a": {"default": 10**15}}}, r"models\.a\.default: must be at most 999999999999999"),
        ({"models": []}, "models: must be an object"),
        ({"models": {"a": {"cannary": {}}}}, r"models\.a\.cannary: is not known here"),
        ({"models": {"a": {"default": "1"}}}, r"models\.a\.default: must be an integer"),
        ({"models": {"a": {"canary": {}}}}, r"models\.a\.canary\.share: is missing"),
        ({"models": {"a": {"canary": {"share": 10}}}}, r"models\.a\.canary\.share: must be from 0 to 1, not 10"),
        ({"models": {"a": {"shadow": {"share": -0.1}}}}, r"models\.a\.shadow\.share: must be from 0 to 1"),
    ],
    ids=str,
)
def test_what_cannot_be_followed_is_named(tmp_path: Path, document: Any, sentence: str) -> None:
    with pytest.raises(InvalidPolicy, match=sentence):
        read(tmp_path, document)


def test_what_a_policy_names_must_be_loaded() -> None:
    policy = ModelPolicy((1, 2), default=3, canary=Share(0.1, 4), shadow=Share(1.0))

    assert policy.named == {1, 2, 3, 4}


def test_a_model_without_a_policy_has_that_of_all() -> None:
    policy = ServingPolicy(3, {"a": ModelPolicy(1)})

    assert (policy.of("a").versions, policy.of("b").versions) == (1, 3)


def make_a_pipe(file: Path) -> None:
    os.mkfifo(file)


def make_a_folder(file: Path) -> None:
    file.mkdir()


def make_a_large_file(file: Path) -> None:
    file.write_text("{}" + " " * MAX_POLICY)


def link_to_nothing(file: Path) -> None:
    file.symlink_to("nowhere")


def link_to_a_device(file: Path) -> None:
    file.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [make_a_pipe, make_a_folder, make_a_large_file, link_to_nothing, link_to_a_device])
def test_what_is_no_file_is_no_policy(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "serving.json")

    with pytest.raises(InvalidPolicy, match=r"^serving\.json "):
        read_policy(ModelRepository(tmp_path), 2)


def test_a_policy_that_kubernetes_mounts_is_read_through_its_links(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "serving.json").write_text('{"versions": 3}')
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "serving.json").symlink_to("..data/serving.json")

    assert read_policy(ModelRepository(tmp_path), 2) == ServingPolicy(3)

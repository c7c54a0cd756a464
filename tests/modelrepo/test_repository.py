"""The layout on disk: which folders are models and versions, and which only look like them."""

from pathlib import Path

import pytest

from modelrepo.repository import ModelRepository, is_name


def folders(root: Path, *paths: str) -> ModelRepository:
    for path in paths:
        (root / path).mkdir(parents=True)
    return ModelRepository(root)


def test_models_are_listed_by_name_and_versions_by_number(tmp_path: Path) -> None:
    repository = folders(tmp_path, "mnist/2", "mnist/10", "mnist/1", "cifar10/1")

    assert repository.names() == ["cifar10", "mnist"]
    assert repository.versions("mnist") == [1, 2, 10]


def test_a_repository_that_does_not_exist_holds_nothing(tmp_path: Path) -> None:
    repository = ModelRepository(tmp_path / "nowhere")

    assert repository.names() == []
    assert repository.versions("mnist") == []
    assert repository.next_version("mnist") == 1


@pytest.mark.parametrize("version", ["0", "01", "-1", "1.0", "latest", "²", "1_0", ".1", "1" * 16])
def test_a_folder_with_another_name_than_a_positive_number_is_no_version(tmp_path: Path, version: str) -> None:
    repository = folders(tmp_path, f"mnist/{version}")

    assert repository.versions("mnist") == []


def test_a_file_is_neither_a_model_nor_a_version(tmp_path: Path) -> None:
    repository = folders(tmp_path, "mnist/1")
    (tmp_path / "notes").write_text("")
    (tmp_path / "mnist" / "2").write_text("")

    assert repository.names() == ["mnist"]
    assert repository.versions("mnist") == [1]


def test_a_model_without_versions_is_not_listed(tmp_path: Path) -> None:
    repository = folders(tmp_path, "empty", "mnist/1")

    assert repository.names() == ["mnist"]


def test_the_next_version_follows_the_highest(tmp_path: Path) -> None:
    repository = folders(tmp_path, "mnist/1", "mnist/7")

    assert repository.next_version("mnist") == 8


@pytest.mark.parametrize("name", ["..", "../mnist", "/mnist", "mnist/1", ""])
def test_a_name_that_leaves_the_repository_has_no_versions(tmp_path: Path, name: str) -> None:
    repository = folders(tmp_path / "root", "mnist/1")
    (tmp_path / "1").mkdir()

    assert repository.versions(name) == []


@pytest.mark.parametrize("name", ["mnist", "cifar10", "a", "0", "res-net_50", "a" * 64])
def test_names_that_are_allowed(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "Mnist", "-a", "_a", ".a", "a.b", "a b", "a/b", "ä", "a\n", "a" * 65], ids=repr)
def test_names_that_are_not(name: str) -> None:
    assert not is_name(name)

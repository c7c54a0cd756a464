"""What a repository looks like from outside: any change of a file is one of the snapshot, and no file is opened."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from modelrepo.repository import ModelRepository
from service.lifecycle.snapshot import take_fingerprint, take_snapshot
from tests.support.bundles.fake_predictors import publish


def touch(bundle: Path) -> None:
    os.utime(bundle / "model.onnx", (1, 1))


def grow(bundle: Path) -> None:
    with (bundle / "model.onnx").open("ab") as file:
        file.write(b"!")


def allow(bundle: Path) -> None:
    """What could not be read before can be now, perhaps."""
    (bundle / "model.onnx").chmod(0o640)


def add(bundle: Path) -> None:
    (bundle / "golden" / "more.png").touch()


def remove(bundle: Path) -> None:
    (bundle / "metadata.json").unlink()


def swap(bundle: Path) -> None:
    """Another file of the same size and time."""
    graph = bundle / "model.onnx"
    status = graph.stat()
    other = bundle / "other"
    other.write_bytes(bytes(status.st_size))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.rename(graph)


def forbid(bundle: Path) -> None:
    (bundle / "golden").rename(bundle / "elsewhere")


@pytest.mark.parametrize("change", [touch, grow, allow, add, remove, swap, forbid])
def test_every_change_of_a_file_shows(tmp_path: Path, change: Callable[[Path], None]) -> None:
    publish(tmp_path, "mnist", 1)
    before = take_fingerprint(tmp_path / "mnist" / "1")

    change(tmp_path / "mnist" / "1")

    assert take_fingerprint(tmp_path / "mnist" / "1") != before


def test_what_does_not_change_looks_the_same(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    publish(tmp_path, "colour", 3)
    repository = ModelRepository(tmp_path)
    snapshot = take_snapshot(repository)

    assert take_snapshot(repository) == snapshot
    assert snapshot.models == {"colour": [3], "mnist": [2, 1]}


def test_a_link_into_nothing_or_in_a_circle_is_one_bundles_trouble(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    (tmp_path / "mnist" / "1" / "nothing").symlink_to("nowhere")
    (tmp_path / "mnist" / "1" / "circle").symlink_to(".", target_is_directory=True)

    assert len(take_snapshot(ModelRepository(tmp_path)).bundles[("mnist", 1)]) > 2


def test_folders_may_be_nested_as_deep_as_paths_are_long(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    before = take_fingerprint(tmp_path / "mnist" / "1")
    deep = str(tmp_path / "mnist" / "1")
    for _ in range(1500):
        deep += "/d"
        os.mkdir(deep)  # noqa: PTH102 - pathlib takes such a path apart one call a folder
    Path(deep, "file").touch()

    after = take_fingerprint(tmp_path / "mnist" / "1")
    Path(deep, "file").unlink()
    os.removedirs(deep)

    assert len(after) == len(before) + 1


def test_a_repository_that_is_not_there_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        take_snapshot(ModelRepository(tmp_path / "nowhere"))

    assert take_snapshot(ModelRepository(tmp_path)).models == {}

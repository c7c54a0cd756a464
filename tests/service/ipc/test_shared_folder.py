"""The folder of a service, and the folders of services that were killed."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from service.ipc.shared_folder import MARK, SharedFolder


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where services make their folders, and nothing else is."""
    folder = tmp_path / "parent"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("service.ipc.shared_folder.PARENTS", (tmp_path / "second",))
    return folder


def leftover(parent: Path, name: str = "convserve-abcd1234") -> Path:
    """The folder of a service that was killed."""
    folder = parent / name
    folder.mkdir()
    (folder / MARK).touch()
    (folder / "counter_0.db").write_bytes(bytes(100))
    return folder


def test_it_is_gone_afterwards(parent: Path) -> None:
    folder = SharedFolder()
    folder.remove()
    folder.remove()

    assert list(parent.iterdir()) == []


def test_a_folder_that_no_process_holds_is_removed(parent: Path) -> None:
    old = leftover(parent)
    folder = SharedFolder()
    folder.maintain()

    assert not old.exists()
    assert folder.path.is_dir()
    folder.remove()


def test_a_folder_that_is_held_stays_until_it_is_not(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = leftover(parent)
    lock = os.open(old, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_SH)
    monkeypatch.setattr("service.ipc.shared_folder.INTERVAL", 0.0)
    folder = SharedFolder()
    folder.maintain()
    held = old.exists()
    os.close(lock)
    folder.maintain()

    assert (held, old.exists()) == (True, False)
    folder.remove()


def test_two_services_keep_off_each_other(parent: Path) -> None:
    first, second = SharedFolder(), SharedFolder()
    first.maintain()
    second.maintain()

    assert {first.path, second.path} == set(parent.iterdir())
    first.remove()
    second.remove()


def test_what_is_not_known_as_a_services_folder_stays(parent: Path, tmp_path: Path) -> None:
    (parent / "convserve-training").mkdir()
    (parent / "convserve-training" / "model").touch()
    (parent / "convserve-file").touch()
    elsewhere = leftover(tmp_path, "elsewhere")
    (parent / "convserve-link").symlink_to(elsewhere)
    folder = SharedFolder()
    folder.maintain()

    names = {path.name for path in parent.iterdir()} - {folder.path.name}
    assert names == {"convserve-training", "convserve-file", "convserve-link"}
    assert (elsewhere / MARK).exists()
    folder.remove()


def test_where_one_place_takes_no_folder_the_next_one_does(
    parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "second").mkdir()
    monkeypatch.setenv("TMPDIR", str(parent / "missing"))
    folder = SharedFolder()

    assert folder.path.parent == tmp_path / "second"
    folder.remove()


def test_where_somebody_removes_it_it_is_made_again(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.ipc.shared_folder.INTERVAL", 0.0)
    folder = SharedFolder()
    shutil.rmtree(folder.path)
    folder.maintain()
    other = SharedFolder()
    other.maintain()

    assert (folder.path / MARK).exists()
    folder.remove()
    other.remove()
    assert list(parent.iterdir()) == []

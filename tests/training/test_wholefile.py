from pathlib import Path

import pytest

from training.wholefile import write_whole


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_whole(tmp_path / "figures.json", b"old")

    write_whole(tmp_path / "figures.json", b"new")

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("figures.json", b"new")]


def test_a_write_that_fails_leaves_the_old_file_and_no_partial_one(tmp_path: Path) -> None:
    (tmp_path / "figures.json").mkdir()  # a file cannot take a folder's name

    with pytest.raises(OSError, match=r"figures\.json"):
        write_whole(tmp_path / "figures.json", b"new")

    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]

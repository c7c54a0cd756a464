from pathlib import Path

import pytest

from training.errors import NotWritten
from training.files import write_whole


def test_a_file_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(b"older and longer")

    write_whole(path, b"new")

    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["missing/page.html", "file/page.html", "folder"])
def test_a_place_that_cannot_be_written_is_named_and_left_alone(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"here")
    (tmp_path / "folder").mkdir()

    with pytest.raises(NotWritten, match=f"{place} cannot be written"):
        write_whole(tmp_path / place, b"new")

    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["file", "folder"]
    assert (tmp_path / "file").read_bytes() == b"here"

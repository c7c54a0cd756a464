import tarfile
from pathlib import Path

import pytest

from tests.support.shapes import draw_folder
from training.errors import InvalidData
from training.unpacking import unpacked


def test_an_archive_is_unpacked_as_long_as_it_is_needed(tmp_path: Path) -> None:
    draw_folder(tmp_path / "pictures", {"a": 1, "b": 1})
    with tarfile.open(tmp_path / "pictures.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "pictures", ".")

    with unpacked(tmp_path / "pictures.tar.gz") as folder:
        found = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*"))

    assert (folder.name, found) == ("pictures", ["a/000.jpg", "b/000.jpg"])
    assert not folder.exists()


def test_a_folder_is_left_where_it_is(tmp_path: Path) -> None:
    with unpacked(tmp_path) as folder:
        assert folder == tmp_path

    assert tmp_path.exists()


def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "picture").write_text("")
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.add(tmp_path / "picture", "../../escaped")

    with pytest.raises(InvalidData, match="cannot be unpacked"), unpacked(tmp_path / "evil.tar"):
        pass

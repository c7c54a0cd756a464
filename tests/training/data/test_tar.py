import tarfile
from pathlib import Path

import pytest

from tests.support.images.folders import draw_folder
from training.data.tar import unpacked
from training.errors import InvalidData

SIZE_FIELD = 4  # bytes at gzip's end; before them stands the checksum


def test_an_archive_is_unpacked_as_long_as_it_is_needed(tmp_path: Path) -> None:
    packed = pack(tmp_path)

    with unpacked(packed) as folder:
        found = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*"))

    assert (folder.name, found) == ("pictures", ["a/000.jpg", "b/000.jpg"])
    assert not folder.exists()


def test_a_folder_is_left_where_it_is(tmp_path: Path) -> None:
    with unpacked(tmp_path) as folder:
        assert folder == tmp_path

    assert tmp_path.exists()


@pytest.mark.parametrize("place", [0.0, 0.3, 0.5, 0.7, 1.0], ids="{:.0%} in".format)
def test_an_archive_with_a_changed_byte_is_refused(place: float, tmp_path: Path) -> None:
    packed = pack(tmp_path)
    content = bytearray(packed.read_bytes())
    content[int(place * (len(content) - 1 - SIZE_FIELD))] ^= 0xFF
    packed.write_bytes(content)

    with pytest.raises(InvalidData, match="cannot be read as a tar archive"), unpacked(packed):
        pass


def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "picture").write_text("")
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.add(tmp_path / "picture", "../../escaped")

    with pytest.raises(InvalidData, match="cannot be unpacked"), unpacked(tmp_path / "evil.tar"):
        pass


def pack(folder: Path) -> Path:
    """A few pictures in an archive."""
    draw_folder(folder / "pictures", {"a": 1, "b": 1})
    with tarfile.open(folder / "pictures.tar.gz", "w:gz") as archive:
        archive.add(folder / "pictures", ".")
    return folder / "pictures.tar.gz"

import tarfile
from pathlib import Path

import pytest

from tests.support.training.cifar_archives import MAKERS, draw_images, pack, unpack
from training.data.cifar import LAYOUTS, find_cifar_layout, find_name


@pytest.mark.parametrize("archive", MAKERS)
def test_an_archive_is_known_by_its_files_whatever_it_is_called(archive: str, tmp_path: Path) -> None:
    files = MAKERS[archive](draw_images(100, 100, seed=1), draw_images(100, 100, seed=2))

    layouts = (
        find_cifar_layout(pack(files, tmp_path / "download.tgz")),
        find_cifar_layout(unpack(files, tmp_path / "unpacked")),
    )

    assert [layout.archive for layout in layouts if layout is not None] == [archive, archive]


def test_every_layout_is_generated_for_the_tests() -> None:
    assert {layout.archive for layout in LAYOUTS} == set(MAKERS)


@pytest.mark.parametrize("name", ["train/apple/0.png", "train/test/0.png", "cifar100/train/apple/0.png", "notes.txt"])
def test_class_folders_of_images_are_no_original_archive(name: str, tmp_path: Path) -> None:
    source = unpack({name: b"an image"}, tmp_path / "folder")

    assert find_cifar_layout(source) is None
    assert find_cifar_layout(pack({name: b"an image"}, tmp_path / "images.tar.gz")) is None


def test_a_long_archive_of_images_is_not_unpacked_to_be_recognised(tmp_path: Path) -> None:
    source = pack({f"train/apple/{number}.png": bytes(9999) for number in range(100)}, tmp_path / "images.tar.gz")
    content = source.read_bytes()
    source.write_bytes(content[: len(content) // 2])

    assert find_name(source, ["train"]) is None
    with tarfile.open(source) as stored, pytest.raises(EOFError):
        stored.getmembers()

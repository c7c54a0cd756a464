"""CIFAR's original archives: how they are recognized, read and refused."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.training.cifar_archives import (
    MAKERS,
    PIXELS,
    CifarImages,
    Files,
    cifar10_binary,
    cifar10_python,
    cifar100_binary,
    cifar100_python,
    draw_images,
    pack,
    pickle_python2,
    unpack,
)
from training.data.cifar import LAYOUTS, find_cifar_layout, find_name
from training.data.load import read_dataset, read_encoded, read_split
from training.data.specs import CIFAR10, CIFAR100, CIFAR100_COARSE, FINE, DatasetSpec
from training.errors import InvalidData

Store = Callable[[Files, Path], Path]
STORES = [
    pytest.param(lambda files, path: pack(files, path / "data.tar.gz"), id="archive"),
    pytest.param(unpack, id="parent folder"),
    pytest.param(lambda files, path: unpack(files, path) / next(iter(files)).partition("/")[0], id="folder"),
]


def draw(classes: int) -> tuple[CifarImages, CifarImages]:
    return draw_images(2 * classes, classes, seed=1), draw_images(classes, classes, seed=2)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    ("archive", "spec"),
    [
        ("cifar-10-python", CIFAR10),
        ("cifar-10-binary", CIFAR10),
        ("cifar-100-python", CIFAR100),
        ("cifar-100-python", CIFAR100_COARSE),
        ("cifar-100-binary", CIFAR100),
        ("cifar-100-binary", CIFAR100_COARSE),
    ],
)
def test_both_splits_come_in_the_order_of_the_archive(
    archive: str, spec: DatasetSpec, store: Store, tmp_path: Path
) -> None:
    train, test = draw(100 if spec is not CIFAR10 else 10)

    read = read_dataset(spec, store(MAKERS[archive](train, test), tmp_path))

    for split, drawn in ((read.train, train), (read.test, test)):
        assert np.array_equal(split.images[:], drawn.images)
        assert split.labels.tolist() == (drawn.coarse if spec is CIFAR100_COARSE else drawn.fine)


def test_encoded_images_are_png_with_the_pixels_of_the_archive(tmp_path: Path) -> None:
    train, test = draw(100)

    encoded = read_encoded(CIFAR100, pack(cifar100_python(train, test), tmp_path / "any-name.tar.gz"), "test")

    pixels = np.stack([np.asarray(Image.open(io.BytesIO(content))) for content, _ in encoded])
    assert {content_type for _, content_type in encoded} == {"image/png"}
    assert np.array_equal(pixels, test.images)


@pytest.mark.parametrize(
    ("archive", "file", "content", "sentence"),
    [
        pytest.param("cifar-100-python", "train", None, "lacks train", id="file missing"),
        pytest.param("cifar-10-python", "data_batch_3", None, "lacks data_batch_3", id="batch missing"),
        pytest.param("cifar-100-binary", "fine_label_names.txt", None, "lacks fine_label_names.txt", id="no names"),
        pytest.param("cifar-100-python", "train", b"\x80\x02}q", "train cannot be read as a pickle", id="cut pickle"),
        pytest.param("cifar-100-python", "train", b"JFIF", "train cannot be read as a pickle", id="no pickle"),
        pytest.param("cifar-100-python", "train", pickle_python2([1]), "train holds no dictionary", id="list"),
        pytest.param(
            "cifar-100-python", "train", pickle_python2({b"data": 1}), "train has no fine_labels", id="no labels"
        ),
        pytest.param("cifar-100-python", "meta", pickle_python2({}), "meta has no fine_label_names", id="empty meta"),
        pytest.param(
            "cifar-100-python",
            "meta",
            pickle_python2({b"fine_label_names": [b"apple", 1]}),
            "meta has no list of names",
            id="other names",
        ),
        pytest.param("cifar-10-binary", "data_batch_2.bin", bytes(9999), r"no multiple of the 3,073", id="cut records"),
        pytest.param("cifar-100-binary", "train.bin", bytes(3073), r"no multiple of the 3,074", id="other records"),
        pytest.param("cifar-100-binary", "train.bin", b"", "has no images", id="no records"),
        pytest.param("cifar-100-binary", "train.bin", b"\x00\x64" + bytes(PIXELS), "must be 0 to 99", id="label 100"),
        pytest.param("cifar-100-binary", "fine_label_names.txt", b"\xff", "not a list of names", id="other text"),
        pytest.param(
            "cifar-100-binary",
            "fine_label_names.txt",
            "\n".join(reversed(FINE)).encode(),
            "does not list the 100 classes of cifar100 in their order",
            id="other order",
        ),
    ],
)
def test_what_is_wrong_in_an_archive_is_named(
    archive: str, file: str, content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    spec = CIFAR10 if "cifar-10-" in archive else CIFAR100
    files = MAKERS[archive](*draw(len(spec.class_names)))
    name = next(path for path in files if path.endswith(f"/{file}"))
    changed = {path: kept for path, kept in files.items() if path != name}
    source = pack(changed if content is None else {**changed, name: content}, tmp_path / "data.tar.gz")

    with pytest.raises(InvalidData, match=sentence) as caught:
        read_split(spec, source, "train")

    assert str(source) in str(caught.value)


@pytest.mark.parametrize(
    ("planes", "labels", "sentence"),
    [
        pytest.param(np.zeros((2, 3071), np.uint8), [1, 2], "no uint8", id="size"),
        pytest.param([[0] * PIXELS], [1], "no uint8", id="no array"),
        pytest.param(np.zeros((2, PIXELS), np.uint8), [1, 2, 3], "2 images and 3 labels", id="one label more"),
        pytest.param(np.zeros((2, PIXELS), np.uint8), [1, b"2"], "no list of labels", id="text for a label"),
        pytest.param(np.zeros((2, PIXELS), np.uint8), [1, 10**30], "no list of labels", id="large label"),
        pytest.param(np.zeros((2, PIXELS), np.uint8), [1, -1], "no list of labels", id="negative label"),
        pytest.param(np.zeros((2, PIXELS), np.uint8), 7, "no list of labels", id="one number"),
        pytest.param(np.zeros((2, PIXELS), np.uint8), [1, 100], "labels must be 0 to 99", id="label 100"),
        pytest.param(np.zeros((0, PIXELS), np.uint8), [], "has no images", id="empty"),
    ],
)
def test_a_pickled_batch_of_another_form_is_refused(
    planes: object, labels: object, sentence: str, tmp_path: Path
) -> None:
    batch = pickle_python2({b"data": planes, b"fine_labels": labels})
    files = {**cifar100_python(*draw(100)), "cifar-100-python/train": batch}

    with pytest.raises(InvalidData, match=sentence):
        read_split(CIFAR100, unpack(files, tmp_path), "train")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("archive", ["cifar-10-binary", "cifar-100-python"])
def test_an_archive_that_is_cut_short_is_named(archive: str, share: float, tmp_path: Path) -> None:
    spec = CIFAR10 if archive == "cifar-10-binary" else CIFAR100
    source = pack(MAKERS[archive](*draw(len(spec.class_names))), tmp_path / "data.tar.gz")
    source.write_bytes(source.read_bytes()[: int(source.stat().st_size * share)])

    with pytest.raises(InvalidData, match="cannot be read as a tar archive"):
        read_dataset(spec, source)


def test_a_damaged_byte_in_the_packed_pixels_is_named(tmp_path: Path) -> None:
    source = pack(cifar100_python(*draw(100)), tmp_path / "data.tar.gz")
    content = bytearray(source.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 64] = bytes(64)
    source.write_bytes(content)

    with pytest.raises(InvalidData, match="cannot be read as a tar archive"):
        read_dataset(CIFAR100, source)


@pytest.mark.parametrize(
    ("make", "spec", "sentence"),
    [
        pytest.param(cifar100_python, CIFAR10, "good for cifar100 and cifar100-coarse only", id="100 as 10"),
        pytest.param(cifar10_python, CIFAR100, "good for cifar10 only", id="10 as 100"),
        pytest.param(cifar10_binary, CIFAR100_COARSE, "good for cifar10 only", id="10 as coarse"),
        pytest.param(cifar100_binary, CIFAR10, "good for cifar100 and", id="binary 100 as 10"),
    ],
)
def test_the_archive_of_another_data_set_is_refused(
    make: Callable[[CifarImages, CifarImages], Files], spec: DatasetSpec, sentence: str, tmp_path: Path
) -> None:
    source = pack(make(*draw(10)), tmp_path / "data.tar.gz")

    with pytest.raises(InvalidData, match=sentence):
        read_split(spec, source, "test")


@pytest.mark.parametrize("archive", MAKERS)
def test_an_archive_is_recognized_by_its_files_not_by_its_name(archive: str, tmp_path: Path) -> None:
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


def test_a_long_archive_of_images_is_not_unpacked_to_be_recognized(tmp_path: Path) -> None:
    source = pack({f"train/apple/{number}.png": bytes(9999) for number in range(100)}, tmp_path / "images.tar.gz")
    content = source.read_bytes()
    source.write_bytes(content[: len(content) // 2])

    assert find_name(source, ["train"]) is None
    with tarfile.open(source) as stored, pytest.raises(EOFError):
        stored.getmembers()

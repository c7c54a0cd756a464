import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data.load import read_dataset, read_encoded, read_split
from training.data.specs import MNIST
from training.data.splits import Dataset
from training.errors import InvalidData


def test_every_form_gives_the_same_arrays_in_the_same_order(source: Path, dataset: Dataset) -> None:
    read = read_dataset(dataset.spec, source)

    assert (read.train.digest, read.test.digest) == (dataset.train.digest, dataset.test.digest)


def test_every_form_gives_encoded_images_in_the_order_of_the_arrays(source: Path, dataset: Dataset) -> None:
    encoded = read_encoded(dataset.spec, source, "test")

    assert {content_type for _, content_type in encoded} == {"image/png"}
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(content))) for content, _ in encoded])
    assert np.array_equal(pixels, dataset.test.images[..., 0])


def test_images_kept_as_files_are_given_byte_for_byte(folder: Path, dataset: Dataset) -> None:
    stored = {path.read_bytes() for path in folder.glob("test/*/*")}

    assert {content for content, _ in read_encoded(dataset.spec, folder, "test")} == stored


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        pytest.param("missing.npz", "does not exist: --data takes", id="wrong path"),
        pytest.param("digits.csv", "is of no known form", id="unknown form"),
        pytest.param("broken.npz", "cannot be read as an .npz archive", id="broken npz"),
        pytest.param("other.npz", "has no x_train and y_train", id="other arrays"),
        pytest.param("broken.tar.gz", "cannot be read as a tar archive", id="broken archive"),
        pytest.param("empty", "has no train/<class>/<image> files", id="folder without a split"),
    ],
)
def test_a_source_that_cannot_be_read_is_named(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "empty").mkdir()
    for broken in ("digits.csv", "broken.npz", "broken.tar.gz"):
        (tmp_path / broken).write_bytes(b"nothing of this kind")
    np.savez(tmp_path / "other.npz", images=np.zeros(3))

    with pytest.raises(InvalidData, match=sentence) as caught:
        read_split(MNIST, tmp_path / name, "train")

    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("keep", "why"),
    [(0, "the image is empty"), (20, "the image ends early, after 20 bytes"), (90, "the image ends early")],
    ids=["empty", "header", "half"],
)
def test_a_damaged_image_is_named(folder: Path, keep: int, why: str) -> None:
    path = folder / "test" / "4" / "0016.png"
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(InvalidData, match=rf"test/4/0016\.png: {why}.*; repair or remove the file"):
        read_split(MNIST, folder, "test")


def test_an_image_of_another_size_is_named(folder: Path) -> None:
    Image.new("L", (30, 28)).save(folder / "test" / "0" / "wide.png")

    with pytest.raises(InvalidData, match=r"test/0/wide\.png has 30×28 pixels where mnist has 28×28"):
        read_split(MNIST, folder, "test")


def test_class_folders_that_do_not_fit_are_listed(folder: Path) -> None:
    (folder / "test" / "9").rename(folder / "test" / "nine")

    with pytest.raises(InvalidData, match="missing: 9; unknown: nine"):
        read_split(MNIST, folder, "test")


def test_a_changed_byte_in_an_archive_is_detected_by_its_checksum(archive: Path) -> None:
    with gzip.open(archive) as packed:
        unpacked = packed.read()
    stored = bytearray(gzip.compress(unpacked, compresslevel=0))
    stored[stored.rindex(b"IEND") + 40] ^= 1  # behind the last image, where nothing is read but to compare
    archive.write_bytes(stored)

    with pytest.raises(InvalidData, match="CRC check failed"):
        read_split(MNIST, archive, "test")


def test_hidden_files_are_passed_over(folder: Path, dataset: Dataset) -> None:
    (folder / "test" / "9" / ".DS_Store").write_bytes(b"a desktop's notes")

    assert read_split(MNIST, folder, "test").digest == dataset.test.digest


def test_a_rotated_photograph_is_turned_upright(folder: Path) -> None:
    upright = Image.new("L", (28, 28))
    upright.paste(255, (0, 0, 28, 4))
    exif = Image.Exif()
    exif[0x0112] = 3  # the camera was upside down
    upright.rotate(180).save(folder / "test" / "0" / "0000.png", exif=exif)

    assert read_split(MNIST, folder, "test").images[0, 0, 0, 0] == 255


@pytest.mark.data
def test_the_real_data_sets_have_their_known_sizes(data_folder: Path) -> None:
    read = read_dataset(MNIST, data_folder / "mnist.npz")

    assert (len(read.train), len(read.test)) == (60_000, 10_000)

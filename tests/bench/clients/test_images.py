"""The sources of the posted images, and the workloads made of them."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.clients.images import ImageSet, batches, find_images, single_images
from modelrepo.golden import GoldenImage, GoldenSet, write_golden
from preprocessing.png import encode_png


def _png(level: int) -> bytes:
    return encode_png(np.full((28, 28), level, np.uint8))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder with three golden images and nothing else of a bundle."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    write_golden(folder, GoldenSet(1e-5, tuple(GoldenImage(f"{n}.png", _png(n), (1.0,)) for n in range(3))))
    return folder


def test_mnist_comes_from_the_arrays_as_png(tmp_path: Path, bundle: Path) -> None:
    pixels = np.arange(300, dtype=np.uint16).astype(np.uint8)[:, None, None] * np.ones((1, 28, 28), np.uint8)
    np.savez(tmp_path / "mnist.npz", x_test=pixels)

    images = find_images("mnist", tmp_path, bundle)

    assert images.source == "256 MNIST test images as PNG"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(images.contents[7]))), pixels[7])


def test_cifar10_comes_from_the_archive_as_it_is_and_from_all_classes(tmp_path: Path, bundle: Path) -> None:
    with tarfile.open(tmp_path / "cifar10.tar.gz", "w:gz") as archive:
        for name in [
            *(f"train/cat/{n}.jpg" for n in range(9)),
            *(f"test/{c}/{n}.jpg" for c in "ab" for n in range(200)),
        ]:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))

    images = find_images("cifar10", tmp_path / "cifar10.tar.gz", bundle)

    assert images.content_type == "image/jpeg"
    assert images.contents[0] == b"test/a/0.jpg"
    assert {content.split(b"/")[1] for content in images.contents} == {b"a", b"b"}


@pytest.mark.parametrize("model", ["mnist", "flowers"])
def test_without_a_data_set_the_golden_images_are_posted(model: str, tmp_path: Path, bundle: Path) -> None:
    images = find_images(model, tmp_path / "nowhere", bundle)

    assert images.contents == (_png(0), _png(1), _png(2))
    assert "3 golden images" in images.source


def test_a_batch_is_one_npy_of_decoded_images_in_turn() -> None:
    images = ImageSet((_png(10), _png(20), _png(30)), "image/png", "")

    workload = batches("/predict", images, 2)

    assert workload.images == 2
    assert [np.load(io.BytesIO(body))[:, 0, 0, 0].tolist() for body in workload.bodies] == [[10, 20], [30, 10]]


def test_bodies_are_written_for_generators_in_other_processes(tmp_path: Path) -> None:
    single_images("/predict", ImageSet((b"one", b"two"), "image/png", "")).write(tmp_path)

    assert (tmp_path / "1").read_bytes() == b"two"

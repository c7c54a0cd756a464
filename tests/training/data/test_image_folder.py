import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.images.folders import draw_folder
from tests.support.images.unusual_files import file_of, photograph
from training.data.image_folder import HELD_OUT, OWN, SAME, Folder, read_folder, read_test
from training.data.lazy_images import LazyImages
from training.data.specs import DatasetSpec
from training.errors import InvalidData
from training.recipes import RECIPES

NAMES = {"größe 2": 10, "<b>": 5, "a": 5}


def test_classes_are_the_folders_names_in_order(folder: Folder) -> None:
    dataset = read_folder(folder).dataset

    assert dataset.spec.class_names == ("<b>", "a", "größe 2")
    assert dataset.spec.shape == (8, 8, 3)


def test_a_fifth_of_each_class_is_held_out_to_test_with(folder: Folder) -> None:
    dataset = read_folder(folder).dataset

    assert np.bincount(dataset.train.labels).tolist() == [4, 4, 8]
    assert np.bincount(dataset.test.labels).tolist() == [1, 1, 2]
    assert not set(paths(dataset.train.images)) & set(paths(dataset.test.images))
    assert dataset.origin["folder"]["test"] == HELD_OUT


def test_what_is_held_out_depends_on_the_seed_alone(folder: Folder) -> None:
    first, again, other = (read_folder(replace(folder, seed=seed)).dataset.test.digest for seed in (1, 1, 2))

    assert first == again != other


def test_a_new_class_changes_nothing_for_those_before_it(folder: Folder) -> None:
    before = set(paths(read_folder(folder).dataset.test.images))

    draw_folder(folder.path, {"zebra": 5})

    assert before < set(paths(read_folder(folder).dataset.test.images))


def test_of_two_images_one_is_held_out_and_a_single_one_is_not(tmp_path: Path, folder: Folder) -> None:
    draw_folder(tmp_path / "few", {"one": 1, "two": 2})

    dataset = read_folder(replace(folder, path=tmp_path / "few")).dataset

    assert dataset.train.labels.tolist() == [0, 1]
    assert dataset.test.labels.tolist() == [1]


def test_where_nothing_can_be_held_out_the_record_says_that_the_test_images_are_the_training_images(
    tmp_path: Path, folder: Folder
) -> None:
    draw_folder(tmp_path / "single", {"one": 1, "other": 1})

    dataset = read_folder(replace(folder, path=tmp_path / "single")).dataset

    assert dataset.origin["folder"]["test"] == SAME
    assert dataset.test.digest == dataset.train.digest


@pytest.mark.parametrize("name", ["val", "validation", "test"])
def test_imagenets_layout_has_a_test_part_of_its_own(tmp_path: Path, folder: Folder, name: str) -> None:
    draw_folder(tmp_path / "net" / "train", {"a": 3, "b": 3})
    draw_folder(tmp_path / "net" / name, {"b": 2})

    dataset = read_folder(replace(folder, path=tmp_path / "net")).dataset

    assert (len(dataset.train), dataset.test.labels.tolist()) == (6, [1, 1])
    assert (dataset.origin["folder"]["test"], dataset.validation) == (OWN, None)


def test_three_parts_become_three_splits(tmp_path: Path, folder: Folder) -> None:
    for place, name in enumerate(("train", "val", "test"), 2):
        draw_folder(tmp_path / "net" / name, {"a": place, "b": place})

    dataset = read_folder(replace(folder, path=tmp_path / "net")).dataset

    assert dataset.validation is not None
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (4, 6, 8)


def test_the_test_split_can_be_made_again(folder: Folder) -> None:
    dataset = read_folder(folder).dataset

    assert read_test(folder, ("<b>", "a", "größe 2")).digest == dataset.test.digest
    with pytest.raises(InvalidData, match="has not the class folders"):
        read_test(folder, ("a", "b"))


def test_the_digest_is_over_the_files_not_over_resized_pixels(folder: Folder) -> None:
    small, large = folder, replace(folder, spec=replace(folder.spec, shape=(16, 8, 3)))

    assert read_folder(small).dataset.train.digest == read_folder(large).dataset.train.digest


def test_files_that_are_no_images_are_left_out_and_counted(folder: Folder) -> None:
    here = folder.path / "a"
    (here / "cut.jpg").write_bytes(file_of(photograph(), "JPEG")[:500])
    (here / "empty.png").write_bytes(b"")
    (here / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (here / "right content.txt").write_bytes(file_of(photograph(), "PNG"))
    (here / "licences.txt").write_text("whose pictures these are")
    (here / ".DS_Store").write_bytes(b"\0")
    (here / "Thumbs.db").write_bytes(b"\0")

    pictures = read_folder(folder)

    assert [Path(each.path).name for each in pictures.unreadable] == ["cut.jpg", "empty.png", "phone.HEIC"]
    assert "this is a HEIC photograph" in pictures.unreadable[-1].reason
    assert len(pictures.dataset.train) + len(pictures.dataset.test) == 20 + 1
    record = pictures.dataset.origin["folder"]
    assert (record["unreadable"], record["ignored"], record["links_outside"]) == (3, 1, 0)


def test_links_out_of_the_folder_are_not_followed(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(file_of(photograph(), "JPEG"))
    (folder.path / "a" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder.path / "up").symlink_to(tmp_path)

    dataset = read_folder(folder).dataset

    assert len(dataset.train) + len(dataset.test) == 20
    assert dataset.origin["folder"]["links_outside"] == 1


def test_a_top_folder_around_the_data_set_is_entered(folder: Folder, tmp_path: Path) -> None:
    folder.path.rename(tmp_path / "inner")
    folder.path.mkdir()
    (tmp_path / "inner").rename(folder.path / "inner")

    assert len(read_folder(folder).dataset.spec.class_names) == 3


def test_a_class_without_a_readable_image_is_named(folder: Folder) -> None:
    (folder.path / "broken").mkdir()
    (folder.path / "broken" / "only.jpg").write_text("not an image")

    with pytest.raises(InvalidData, match=r"1 of the 4 class folders in .* have no image that can be read: broken"):
        read_folder(folder)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(lambda _: None, "is not a folder", id="nothing"),
        pytest.param(lambda root: root.mkdir(), "has 0 folders of images", id="empty"),
        pytest.param(lambda root: draw_folder(root, {"alone": 2}), "has 1 folders of images", id="one class"),
        pytest.param(
            lambda root: (draw_folder(root / "train", {"a": 1, "b": 1}), draw_folder(root / "val", {"c": 1})),
            "has classes that train lacks: c",
            id="other classes",
        ),
        pytest.param(
            lambda root: draw_folder(root, {"a": 1, os.fsdecode(b"\xff"): 1}), "is not text in UTF-8", id="bytes"
        ),
    ],
)
def test_a_folder_that_is_no_data_set_is_refused(make: object, sentence: str, folder: Folder, tmp_path: Path) -> None:
    assert callable(make)
    make(tmp_path / "wrong")

    with pytest.raises(InvalidData, match=sentence):
        read_folder(replace(folder, path=tmp_path / "wrong"))


def test_a_part_without_a_readable_image_is_named(tmp_path: Path, folder: Folder) -> None:
    draw_folder(tmp_path / "net" / "train", {"a": 1, "b": 1})
    (tmp_path / "net" / "val" / "a").mkdir(parents=True)

    with pytest.raises(InvalidData, match="val has no image that can be read"):
        read_folder(replace(folder, path=tmp_path / "net"))


def test_large_sets_stay_in_their_files_and_give_the_same_pixels(folder: Folder) -> None:
    held, streamed = (read_folder(replace(folder, hold=bound)).dataset.train.images for bound in (1 << 20, 0))

    assert isinstance(held, LazyImages)
    assert isinstance(streamed, LazyImages)
    assert (held.held is None, streamed.held is None) == (False, True)
    assert held.shape == streamed.shape == (16, 8, 8, 3)
    for chosen in (slice(2, 7), np.array([3, 1, 1]), 5):
        assert np.array_equal(held[chosen], streamed[chosen])
    assert np.array_equal(streamed.select(np.array([4, 2]))[:], held[np.array([4, 2])])


def test_a_file_that_is_gone_since_the_check_is_named(folder: Folder) -> None:
    images = read_folder(replace(folder, hold=0)).dataset.train.images
    Path(paths(images)[3]).unlink()

    with pytest.raises(InvalidData, match="was readable before the training and no longer is"):
        images[2:5]


def paths(images: object) -> tuple[str, ...]:
    assert isinstance(images, LazyImages)
    return images.paths


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    root = draw_folder(tmp_path / "pictures", NAMES)
    return Folder(root, DatasetSpec("pictures", (8, 8, 3), ()), RECIPES["folder"].preprocessing)

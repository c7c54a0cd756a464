"""Splits: their checks, digests, held out parts and class weights."""

import numpy as np
import pytest

from training.data.specs import CIFAR10, CIFAR100, CIFAR100_COARSE, MNIST
from training.data.splits import OUTLIER, Dataset, hold_out, join, make_split, take, weigh_classes
from training.errors import InvalidData

IMAGES = np.zeros((3, 28, 28), np.uint8)
LABELS = np.array([0, 1, 9])
UNEQUAL = np.repeat([0, 1, 2], [60, 30, 10])


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        pytest.param(IMAGES.astype(np.float32), LABELS, "needs uint8 images", id="dtype"),
        pytest.param(np.zeros((3, 32, 32), np.uint8), LABELS, r"28, 28, 1\]", id="size"),
        pytest.param(np.zeros((3, 28, 28, 3), np.uint8), LABELS, r"28, 28, 1\]", id="channels"),
        pytest.param(IMAGES, LABELS[:2], "as many integer labels", id="too few labels"),
        pytest.param(IMAGES, LABELS / 2, "integer labels", id="labels of another type"),
        pytest.param(IMAGES, np.array([0, 1, 10]), "labels must be 0 to 9", id="label out of range"),
        pytest.param(IMAGES[:0], LABELS[:0], "has no images", id="empty"),
    ],
)
def test_arrays_that_do_not_fit_the_spec_are_refused(
    images: np.ndarray,
    labels: np.ndarray,
    sentence: str,
) -> None:
    with pytest.raises(InvalidData, match=sentence):
        make_split(MNIST, images, labels, "digits.npz")


def test_the_class_names_of_cifar_100_are_complete_and_sorted() -> None:
    for spec, count in ((CIFAR100, 100), (CIFAR100_COARSE, 20)):
        assert len(set(spec.class_names)) == count
        assert list(spec.class_names) == sorted(spec.class_names)


def test_labels_in_a_column_are_read() -> None:
    split = make_split(CIFAR10, np.zeros((2, 32, 32, 3), np.uint8), np.array([[3], [4]]), "cifar")

    assert split.labels.tolist() == [3, 4]


def test_the_digest_depends_on_every_pixel_and_label(dataset: Dataset) -> None:
    before = dataset.test.digest
    assert isinstance(dataset.test.images, np.ndarray)
    dataset.test.images[-1, -1, -1, -1] += 1
    pixel = dataset.test.digest
    dataset.test.labels[-1] -= 1

    assert len({before, pixel, dataset.test.digest}) == 3


def test_holding_out_splits_all_images_and_in_the_same_way_for_a_seed(dataset: Dataset) -> None:
    train, validation = hold_out(dataset.train, 0.1, seed=5)
    again, _ = hold_out(dataset.train, 0.1, seed=5)

    assert (len(train), len(validation)) == (108, 12)
    assert train.digest == again.digest
    assert sorted([*train.labels, *validation.labels]) == sorted(dataset.train.labels)


def test_holding_out_leaves_every_class_a_training_image(dataset: Dataset) -> None:
    single = take(dataset.train, np.arange(0, len(dataset.train), 12))
    pairs = take(dataset.train, np.arange(0, len(dataset.train), 6))

    assert [len(part) for part in hold_out(single, 0.5, seed=1)] == [10, 0]
    assert set(hold_out(pairs, 0.6, seed=1)[0].labels) == set(range(10))


def test_weighted_classes_have_equal_totals() -> None:
    weights = weigh_classes(UNEQUAL, 3, threshold=1.5)

    assert weights is not None
    totals = [weights[index] * np.count_nonzero(index == UNEQUAL) for index in range(3)]
    assert totals == pytest.approx([100 / 3] * 3)


@pytest.mark.parametrize("threshold", [0.0, 6.0], ids=["never", "not so unequal"])
def test_there_are_no_weights_below_the_threshold(threshold: float) -> None:
    assert weigh_classes(UNEQUAL, 3, threshold) is None


def test_a_class_without_images_changes_no_other_weight() -> None:
    weights = weigh_classes(UNEQUAL, 3, threshold=1.5) or {}

    assert weigh_classes(UNEQUAL, 4, threshold=1.5) == {**weights, 3: 1.0}


def test_outliers_change_no_weight() -> None:
    with_outliers = np.concatenate([UNEQUAL, np.full(50, OUTLIER)])

    assert weigh_classes(with_outliers, 3, threshold=1.5) == weigh_classes(UNEQUAL, 3, threshold=1.5)


def test_joined_splits_keep_their_order(dataset: Dataset) -> None:
    joined = join(dataset.test, dataset.train)

    assert take(joined, np.arange(len(dataset.test))).digest == dataset.test.digest
    assert joined.labels[len(dataset.test) :].tolist() == dataset.train.labels.tolist()

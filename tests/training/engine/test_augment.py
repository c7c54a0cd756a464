"""Distorted images: what moves, what stays, and that the seed alone decides."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from training.engine.augment import augment
from training.recipes import Augmentation

SEED = tf.constant([1, 2], tf.int64)


@pytest.fixture
def images() -> Any:
    return tf.constant(np.random.default_rng(1).random((40, 9, 9, 3)), tf.float32)


def test_without_rules_nothing_changes(images: Any) -> None:
    assert augment(images, Augmentation(), SEED) is images


def test_half_of_the_images_are_flipped_and_the_others_untouched(images: Any) -> None:
    flipped = augment(images, Augmentation(flip=True), SEED).numpy()

    mirrored = [np.allclose(after, before[:, ::-1], atol=1e-6) for after, before in zip(flipped, images, strict=True)]
    untouched = [np.allclose(after, before, atol=1e-6) for after, before in zip(flipped, images, strict=True)]
    assert all(a != b for a, b in zip(mirrored, untouched, strict=True))
    assert 8 < sum(mirrored) < 32


def test_a_shift_is_by_whole_pixels_within_its_bound_and_fills_with_black(images: Any) -> None:
    shifted = augment(images, Augmentation(shift=2), SEED).numpy()

    assert {_shift(after, before) for after, before in zip(shifted, images.numpy(), strict=True)} >= {(0, 0), (2, -1)}


def test_reflected_edges_have_no_black(images: Any) -> None:
    shifted = augment(images + 1, Augmentation(shift=4, fill="reflect"), SEED).numpy()

    assert shifted.min() >= 1


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(Augmentation(rotate=20), id="rotate"),
        pytest.param(Augmentation(zoom=0.3), id="zoom"),
        pytest.param(Augmentation(shear=0.3), id="shear"),
    ],
)
def test_the_centre_stays_where_it_is(images: Any, rules: Augmentation) -> None:
    moved = augment(images, rules, SEED).numpy()

    assert np.allclose(moved[:, 4, 4], images[:, 4, 4], atol=1e-5)
    assert not np.allclose(moved[:, 1, 1], images[:, 1, 1], atol=1e-2)


def test_a_square_is_covered_and_nothing_else(images: Any) -> None:
    covered = augment(images + 1, Augmentation(cutout=4), SEED).numpy()

    black = (covered == 0).all(axis=-1)
    assert black.sum(axis=(1, 2)).max() == 16
    assert black.any(axis=(1, 2)).all()
    assert np.allclose(covered[~black], (images + 1).numpy()[~black], atol=1e-5)


def test_the_seed_decides_what_is_drawn(images: Any) -> None:
    rules = Augmentation(flip=True, shift=2, rotate=10, zoom=0.1, shear=0.1, cutout=3)
    first, again, other = (augment(images, rules, seed).numpy() for seed in (SEED, SEED, SEED + 1))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def _shift(after: Any, before: Any) -> tuple[int, int]:
    """The shift by which the one became the other."""
    height, width = before.shape[:2]
    padded = np.pad(before, ((2, 2), (2, 2), (0, 0)))
    return next(
        (down - 2, across - 2)
        for down in range(5)
        for across in range(5)
        if np.allclose(after, padded[down : down + height, across : across + width], atol=1e-5)
    )

"""The random cut that enlarges a part of each image."""

import numpy as np

from training.engine.augment import augment
from training.recipes import Augmentation

ROW = np.linspace(0, 1, 32, dtype=np.float32)
RAMPS = np.broadcast_to(np.stack(np.meshgrid(ROW, ROW), axis=-1), (64, 32, 32, 2))  # its place is each pixel's value


def test_a_cut_keeps_a_share_of_the_area_inside_the_image() -> None:
    cut = np.array(augment(RAMPS, Augmentation(crop=0.35), np.array([1, 2])))

    width, height = (cut[:, -1, -1] - cut[:, 0, 0]).T
    assert cut.shape == RAMPS.shape
    assert (cut >= 0).all()
    assert (cut <= 1 + 1e-6).all()
    assert (width * height >= 0.35 - 1e-6).all()
    assert len(np.unique(width * height)) == 64
    ratio = width / height
    assert ratio.min() >= 3 / 4 - 1e-4
    assert ratio.max() <= 4 / 3 + 1e-4


def test_a_cut_follows_from_the_seed() -> None:
    rules = Augmentation(crop=0.5)

    first, again, other = (np.array(augment(RAMPS, rules, np.array(seed))) for seed in ((1, 2), (1, 2), (1, 3)))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)

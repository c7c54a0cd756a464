"""Drawn digits and outliers, added to the images that a data set has to learn from."""

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np

from training.data.drawn.glyphs import DIGITS, parse
from training.data.drawn.outliers import draw_outlier
from training.data.drawn.pen import SIZE, Gray, pick_hand, write
from training.data.splits import OUTLIER, Images, Labels, Split, join

_GLYPHS = [[parse(glyph) for glyph in glyphs] for glyphs in DIGITS.values()]
# The digits in turn. Drawn as often as the others, a 1 with a flag stays a 7, of which MNIST has 6,000 that look alike.
_TURNS = np.array([0, 1, 2, 3, 1, 4, 5, 1, 6, 7, 8, 1, 9, 7])
_UPRIGHT = (1, 7)  # turned, one with a flag is the other
_CHUNK = 500  # images that are drawn from one seed, whichever process does it


@dataclass(frozen=True)
class Drawn:
    """How many images are drawn, as shares of the training images that a data set has; none by default."""

    digits: float = 0.0
    outliers: float = 0.0


def add_drawn(split: Split, drawn: Drawn, seed: int) -> Split:
    """The split and behind it the drawn images, 28 × 28, with the labels 0 to 9 or OUTLIER: the same for a seed.

    The split itself where nothing is to be drawn.
    """
    digits, outliers = (round(share * len(split)) for share in (drawn.digits, drawn.outliers))
    if not digits + outliers:
        return split
    labels = np.concatenate([np.resize(_TURNS, digits), np.full(outliers, OUTLIER)])
    chunks = [labels[start : start + _CHUNK] for start in range(0, len(labels), _CHUNK)]
    return join(split, Split(np.concatenate(_in_processes(chunks, seed)), labels))


def _in_processes(chunks: list[Labels], seed: int) -> list[Images]:
    """The images of each chunk, drawn here or, where there are several, by processes beside this one."""
    seeds = np.random.SeedSequence(seed).spawn(len(chunks))
    if len(chunks) < 2:
        return [draw_images(*work) for work in zip(chunks, seeds, strict=True)]
    # Spawned, not forked: TensorFlow's threads do not outlive a fork.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        return list(pool.map(draw_images, chunks, seeds))


def draw_images(labels: Labels, seed: np.random.SeedSequence) -> Images:
    """An image for each label, uint8 [N, 28, 28, 1]."""
    rng = np.random.default_rng(seed)
    images = [draw_outlier(rng) if label == OUTLIER else draw_digit(int(label), rng) for label in labels]
    return np.array(images, np.uint8).reshape(-1, *SIZE, 1)


def draw_digit(label: int, rng: np.random.Generator) -> Gray:
    """A digit in one of its forms, in a hand at random."""
    hand = pick_hand(rng)
    if label in _UPRIGHT:
        hand = replace(hand, tilt=hand.tilt / 2, aspect=min(hand.aspect, 0.95))
    return write(_GLYPHS[label], hand, rng)

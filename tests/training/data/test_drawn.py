"""Drawn digits and outliers: they have the form of MNIST's images, follow from the seed, and differ as people do."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.drawn.draw import Drawn, add_drawn, draw_digit
from training.data.drawn.glyphs import DIGITS, LETTERS, SYMBOLS, parse
from training.data.drawn.outliers import KINDS, draw_outlier
from training.data.drawn.pen import Hand, pick_hand, render, trace
from training.data.splits import OUTLIER, Split
from training.recipes import RECIPES

STEADY = Hand(pen=0.1, pressure=0, nib=0, aspect=0.6, slant=0, tilt=0, looseness=0, sway=0, softness=0)
EMPTY = Split(np.zeros((40, 28, 28, 1), np.uint8), np.zeros(40, np.int64))


def test_the_drawn_images_come_behind_the_split_digits_first() -> None:
    joined = add_drawn(EMPTY, Drawn(digits=0.5, outliers=0.25), seed=1)

    assert joined.images.shape == (70, 28, 28, 1)
    assert joined.images.dtype == np.uint8
    assert joined.labels[:40].tolist() == [0] * 40
    assert set(joined.labels[40:60]) == {*range(10)}
    assert joined.labels[60:].tolist() == [OUTLIER] * 10
    assert all(image.any() for image in joined.images[40:])


def test_a_split_to_which_nothing_is_drawn_is_the_same() -> None:
    assert add_drawn(EMPTY, Drawn(), seed=1) is EMPTY


def test_only_the_strong_recipe_of_digits_learns_drawn_images() -> None:
    assert [name for name, recipe in RECIPES.items() if recipe.drawn != Drawn()] == ["mnist-strong"]


def test_the_seed_alone_decides_what_is_drawn() -> None:
    first, again, other = (add_drawn(EMPTY, Drawn(0.5, 0.5), seed).digest for seed in (1, 1, 2))

    assert first == again != other


@pytest.mark.slow
def test_several_processes_draw_the_same_again() -> None:
    split = Split(np.zeros((1200, 28, 28, 1), np.uint8), np.zeros(1200, np.int64))

    assert add_drawn(split, Drawn(0.5, 0.5), 1).digest == add_drawn(split, Drawn(0.5, 0.5), 1).digest


@pytest.mark.parametrize("label", range(10))
def test_a_drawn_digit_has_the_form_of_mnists(label: int) -> None:
    rng = np.random.default_rng(label)
    for image in (draw_digit(label, rng) for _ in range(20)):
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
        assert image.max() == 255
        assert abs(_centre(image, 0) - 14) <= 1 or rows[0] == 0 or rows[-1] == 27
        assert abs(_centre(image, 1) - 14) <= 1


def test_a_barred_seven_has_ink_where_the_others_have_none() -> None:
    plain, barred = (
        render(trace(parse(DIGITS["7"][form]), STEADY, np.random.default_rng(1)), STEADY, np.random.default_rng(1))
        for form in (0, 3)
    )

    widest = [int((image[12:20] > 100).sum(axis=1).max()) for image in (plain, barred)]
    assert widest[1] >= 2 * widest[0]


@pytest.mark.parametrize("glyph", [glyph for glyph in DIGITS["1"] if "!" in glyph])
def test_a_flag_rises_to_the_stem_of_a_one(glyph: str) -> None:
    flag = parse(glyph)[0][0]

    assert flag[0, 1] > flag[-1, 1] + 0.1
    assert flag[0, 0] < flag[-1, 0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_outliers_of_a_kind_are_images_and_differ(kind: object) -> None:
    rng = np.random.default_rng(3)
    images = [kind(rng) for _ in range(12)]  # type: ignore[operator]

    assert {(image.shape, image.dtype) for image in images} == {((28, 28), np.dtype(np.uint8))}
    assert len({image.tobytes() for image in images if image.any()}) > 1


def test_the_kinds_of_outliers_are_drawn_as_often_as_they_should_be() -> None:
    assert sum(KINDS.values()) == pytest.approx(1)
    assert draw_outlier(np.random.default_rng(1)).any()


def test_a_broader_pen_leaves_more_ink() -> None:
    fine, broad = (
        render(trace(parse(DIGITS["3"][0]), hand, np.random.default_rng(1)), hand, np.random.default_rng(1)).sum()
        for hand in (STEADY, replace(STEADY, pen=0.2))
    )

    assert broad > 1.4 * fine


def test_a_hand_is_no_broader_than_it_may_be() -> None:
    rng = np.random.default_rng(1)

    assert max(pick_hand(rng, 0.14).pen for _ in range(100)) < 0.14


@pytest.mark.parametrize("glyphs", [*DIGITS.values(), *LETTERS.values(), SYMBOLS])
def test_strokes_stay_in_their_box_and_curves_meet(glyphs: tuple[str, ...]) -> None:
    for stroke in (stroke for glyph in glyphs for stroke in parse(glyph)):
        assert all(curve.min() >= 0 and curve.max() <= 1 for curve in stroke)
        assert all((before[-1] == after[0]).all() for before, after in pairwise(stroke))


def test_no_letter_is_a_digits_twin() -> None:
    assert not set(LETTERS) & set("OISZBlioszbgqy")


def _centre(image: NDArray[np.uint8], axis: int) -> float:
    masses = image.sum(axis=1 - axis, dtype=float)
    return float(masses @ np.arange(len(masses)) / masses.sum())

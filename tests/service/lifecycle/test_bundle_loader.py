"""The bundle loader: only a network that gives the probabilities of its training is served."""

import numpy as np
import pytest

from modelrepo.golden import GoldenImage, GoldenSet
from preprocessing.png import encode_png
from service.codecs.limits import Limits
from service.inference.predictor import Predictor
from service.inference.runtime import ModelOutputs
from service.lifecycle.bundle_loader import GoldenMismatch, verify_golden
from tests.support.bundles.tiny import tiny_metadata
from tests.support.images.drawn import tiny_image

EXPECTED = (0.5, 0.25, 0.25)


def golden(*probabilities: tuple[float, ...], tolerance: float = 1e-3) -> GoldenSet:
    images = [GoldenImage(f"0{n}.png", encode_png(tiny_image(0)), row) for n, row in enumerate(probabilities)]
    return GoldenSet(tolerance, tuple(images))


def predicting(*row: float, max_images: int = 8) -> Predictor:
    """A predictor whose network gives every image the same probabilities."""
    limits = Limits(10_000, 10_000, max_images)
    scores = np.array(row, np.float32)
    return Predictor(tiny_metadata("tiny"), "", lambda batch: ModelOutputs(np.tile(scores, (len(batch), 1))), limits)


@pytest.mark.parametrize("row", [EXPECTED, (0.5009, 0.2491, 0.25)], ids=["equal", "within the tolerance"])
def test_the_recorded_probabilities_pass(row: tuple[float, ...]) -> None:
    verify_golden(golden(EXPECTED, EXPECTED), predicting(*row))


def test_the_worst_image_is_named() -> None:
    with pytest.raises(GoldenMismatch, match=r"golden image 01\.png is 0\.5 off, more than 0\.001"):
        verify_golden(golden(EXPECTED, (0.0, 0.5, 0.5), EXPECTED), predicting(*EXPECTED))


@pytest.mark.parametrize("row", [(np.nan, 0.25, 0.25), (np.inf, 0.25, 0.25)], ids=["NaN", "infinity"])
def test_what_is_no_number_is_wrong(row: tuple[float, ...]) -> None:
    with pytest.raises(GoldenMismatch):
        verify_golden(golden(EXPECTED), predicting(*row))


def test_another_number_of_classes_is_wrong() -> None:
    with pytest.raises(GoldenMismatch, match="the graph gives 2 classes, the golden images have 3"):
        verify_golden(golden(EXPECTED), predicting(0.5, 0.5))


def test_nothing_to_compare_with_is_wrong() -> None:
    with pytest.raises(GoldenMismatch, match="no golden images"):
        verify_golden(golden(), predicting(*EXPECTED))


def test_more_golden_images_than_a_request_may_hold_are_verified_all_the_same() -> None:
    verify_golden(golden(EXPECTED, EXPECTED, EXPECTED), predicting(*EXPECTED, max_images=2))

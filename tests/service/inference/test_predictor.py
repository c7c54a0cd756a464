"""From inputs to predictions, with a network that is a lambda."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from modelrepo.metadata import OutputSpec, Preprocessing
from preprocessing.png import encode_png
from service.codecs.inputs import EncodedImage, EncodedImages, PixelArray
from service.codecs.limits import Limits
from service.errors import InvalidImage, RequestError, TooLarge
from service.inference.prediction import AbstainReason
from service.inference.predictor import Predictor, PreparedBatch
from service.inference.runtime import ModelOutputs
from tests.support.bundles.tiny import PREPROCESSING, tiny_metadata
from tests.support.images.drawn import tiny_image
from tests.support.images.unusual_files import png_bomb

LIMITS = Limits(max_pixels=100, max_request_pixels=10_000, max_images=2)
BRIGHT = PixelArray(np.full((1, 8, 8, 1), 200, np.uint8))
Model = Callable[[NDArray[np.uint8]], ModelOutputs]


def always(*row: float) -> Model:
    """A network that says the same to every image."""
    return lambda batch: ModelOutputs(np.tile(np.array(row, np.float32), (len(batch), 1)))


def careful(model: Model, *, ink: bool = False, **thresholds: object) -> Predictor:
    """A predictor of a model that abstains."""
    output = dataclasses.replace(tiny_metadata("tiny").output, **thresholds)  # type: ignore[arg-type]
    preprocessing = Preprocessing(**{**vars(PREPROCESSING), "ink": ink})
    return Predictor(tiny_metadata("tiny", output=output, preprocessing=preprocessing), "", model, LIMITS)


def encoded(*contents: bytes) -> EncodedImages:
    return EncodedImages(tuple(EncodedImage(content, f"image {n}") for n, content in enumerate(contents, start=1)))


def test_every_image_gets_a_prediction_by_the_bundles_labels() -> None:
    predictor = Predictor(tiny_metadata("tiny"), "", always(0.2, 0.5, 0.3), LIMITS)

    classification = predictor.classify(encoded(encode_png(tiny_image(0)), encode_png(tiny_image(1))), [])

    top1 = classification.top1(predictor.metadata.labels)
    assert [(each.label, each.index, each.probability) for each in top1] == [("middle", 1, 0.5)] * 2


def test_the_network_sees_the_pixels_as_they_were_sent() -> None:
    seen: list[NDArray[np.uint8]] = []

    def watch(batch: NDArray[np.uint8]) -> ModelOutputs:
        seen.append(batch)
        return always(1, 0, 0)(batch)

    predictor = Predictor(tiny_metadata("tiny"), "", watch, LIMITS)
    predictor.classify(PixelArray(tiny_image(2)[None]), [])
    predictor.classify(encoded(encode_png(tiny_image(2))), [])

    assert all(np.array_equal(batch, tiny_image(2)[None]) for batch in seen)
    assert len(seen) == 2


def test_logits_become_probabilities() -> None:
    metadata = tiny_metadata("tiny", output=OutputSpec("probabilities", "float32", "logits", 3))
    predictor = Predictor(metadata, "", always(0, 1000, 0), LIMITS)

    classification = predictor.classify(encoded(encode_png(tiny_image(0))), [])

    assert classification.probabilities.tolist() == [[0, 1, 0]]


@pytest.mark.parametrize(
    ("largest", "reason"),
    [(0.75, AbstainReason.UNSURE), (0.8, None), (0.85, None), (float("nan"), AbstainReason.UNSURE)],
    ids=str,
)
def test_a_model_is_unsure_below_its_threshold_and_of_nan(largest: float, reason: AbstainReason | None) -> None:
    predictor = careful(always(0, float(np.float32(largest)), 0), abstain_below=float(np.float32(0.8)))

    assert predictor.classify(BRIGHT, []).reasons == (reason,)


@pytest.mark.parametrize(
    ("score", "reason"),
    [(1.5, AbstainReason.UNLIKE_TRAINING), (1, None), (-5, None), (float("nan"), AbstainReason.UNLIKE_TRAINING)],
    ids=str,
)
def test_an_image_whose_outlier_score_is_too_high_is_unlike_the_training(
    score: float, reason: AbstainReason | None
) -> None:
    outputs = ModelOutputs(np.array([[0, 1, 0]], np.float32), np.array([score], np.float32))
    predictor = careful(lambda _: outputs, outlier_output="outlier_score", outlier_above=1.0)

    assert predictor.classify(BRIGHT, []).reasons == (reason,)


@pytest.mark.parametrize(
    ("pixels", "steps", "reason"),
    [
        (0, (), AbstainReason.NO_INK),
        (0, ("found no ink",), AbstainReason.NO_INK),
        (9, ("inverted", "found several pieces"), AbstainReason.SEVERAL_PIECES),
        (9, ("centred",), AbstainReason.UNLIKE_TRAINING),
    ],
    ids=["black", "no ink", "several pieces", "one piece"],
)
def test_what_the_handwriting_rule_says_comes_before_what_the_network_says(
    pixels: int, steps: tuple[str, ...], reason: AbstainReason
) -> None:
    outputs = ModelOutputs(np.array([[0.4, 0.3, 0.3]], np.float32), np.array([2], np.float32))
    predictor = careful(lambda _: outputs, ink=True, abstain_below=0.5, outlier_output="score", outlier_above=1.0)
    prepared = PreparedBatch(np.full((1, 8, 8, 1), pixels, np.uint8), (steps,))

    assert predictor.classify_prepared(prepared, []).reasons == (reason,)


def test_black_is_a_picture_as_any_other_for_a_model_of_photographs() -> None:
    predictor = careful(always(0, 1, 0), abstain_below=0.5)

    assert predictor.classify(PixelArray(np.zeros((1, 8, 8, 1), np.uint8)), []).reasons == (None,)


def test_a_model_without_thresholds_has_no_reasons_even_where_there_is_no_ink() -> None:
    predictor = careful(always(0, 1, 0), ink=True)

    assert predictor.classify(PixelArray(np.zeros((1, 8, 8, 1), np.uint8)), []).reasons is None


@pytest.mark.parametrize(
    "inputs",
    [encoded(*[b""] * 3), PixelArray(np.zeros((3, 8, 8, 1), np.uint8))],
    ids=["files", "pixels"],
)
def test_too_many_images_are_an_error_before_one_is_decoded(inputs: EncodedImages | PixelArray) -> None:
    predictor = Predictor(tiny_metadata("tiny"), "", always(1, 0, 0), LIMITS)

    with pytest.raises(TooLarge, match="3 images in one request are too many: send at most 2 at a time"):
        predictor.classify(inputs, [])


def test_an_image_with_too_many_pixels_is_an_error() -> None:
    predictor = Predictor(
        tiny_metadata("tiny"), "", always(1, 0, 0), Limits(max_pixels=63, max_request_pixels=10_000, max_images=2)
    )

    with pytest.raises(TooLarge, match="8 × 8 = 64 pixels, the limit is 63"):
        predictor.classify(encoded(encode_png(tiny_image(0))), [])


def test_one_bad_image_among_many_is_named_and_one_alone_is_not() -> None:
    predictor = Predictor(tiny_metadata("tiny"), "", always(1, 0, 0), LIMITS)

    with pytest.raises(InvalidImage, match=r"^image 2: this is not an image"):
        predictor.classify(encoded(encode_png(tiny_image(0)), b"?"), [])
    with pytest.raises(InvalidImage, match=r"^this is not an image"):
        predictor.classify(encoded(b"?"), [])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "the image is empty: send the bytes of an image file", id="empty"),
        pytest.param(
            b"?",
            "this is not an image that can be read: send one of PNG, JPEG, WebP, BMP, GIF, TIFF and AVIF",
            id="text",
        ),
        pytest.param(b"\x89PNG\r\n\x1a\n", "the image ends early, after 8 bytes: send the whole file", id="cut off"),
        pytest.param(
            b"BM" + bytes(60),
            "the image is damaged and cannot be decoded: check that the file opens elsewhere, then send it unchanged",
            id="damaged",
        ),
        pytest.param(
            png_bomb(),
            "the image has 50000 × 50000 = 2500000000 pixels, the limit is 100: send a smaller one",
            id="bomb",
        ),
    ],
)
def test_the_error_for_an_image_that_cannot_be_used_says_what_to_do(content: bytes, sentence: str) -> None:
    predictor = Predictor(tiny_metadata("tiny"), "", always(1, 0, 0), LIMITS)

    with pytest.raises(RequestError) as caught:
        predictor.classify(encoded(content), [])

    assert str(caught.value) == sentence


def test_the_images_of_a_request_have_a_limit_of_pixels_together() -> None:
    predictor = Predictor(tiny_metadata("tiny"), "", always(1, 0, 0), Limits(64, max_request_pixels=191, max_images=3))
    predictor.classify(encoded(*[encode_png(tiny_image(0))] * 2), [])

    with pytest.raises(
        TooLarge, match="with image 3 the request has more than 191 pixels: send fewer images at a time"
    ):
        predictor.classify(encoded(*[encode_png(tiny_image(0))] * 3), [])

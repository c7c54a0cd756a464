"""Predictors without ONNX Runtime, and bundles whose golden images match them."""

from pathlib import Path

import numpy as np

from modelrepo.golden import GoldenImage, GoldenSet
from modelrepo.reader import Bundle
from preprocessing.png import encode_png
from service.codecs.limits import Limits
from service.inference.predictor import Predictor
from service.inference.runtime import ModelOutputs
from tests.support.bundles.tiny import publish_tiny, tiny_metadata
from tests.support.images.drawn import tiny_image

FAKE_GOLDEN = GoldenSet(0.1, (GoldenImage("00.png", encode_png(tiny_image(0)), (1.0, 0.0, 0.0)),))
LIMITS = Limits(max_pixels=10_000, max_request_pixels=10_000, max_images=8)


def always_left(batch: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> ModelOutputs:
    """A model that classifies every image as `left`."""
    return ModelOutputs(np.tile(np.array([1, 0, 0], np.float32), (len(batch), 1)))


def open_fake(bundle: Bundle) -> Predictor:
    """A predictor for a bundle that classifies every image as `left`."""
    return Predictor(bundle.metadata, bundle.digest, always_left, LIMITS)


def predictor(name: str = "mnist", version: int = 1) -> Predictor:
    """Such a predictor without a bundle."""
    return Predictor(tiny_metadata(name, version), "", always_left, LIMITS)


def publish(models: Path, name: str, *versions: int) -> None:
    """Publish versions whose golden images match `open_fake`."""
    for version in versions:
        publish_tiny(models, name, version, golden=FAKE_GOLDEN)

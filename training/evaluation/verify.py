"""Verification: a bundle's graph, or a running service, gives the results that the bundle records."""

import io
from dataclasses import dataclass

import numpy as np

from modelrepo.errors import CorruptBundle
from modelrepo.golden import GoldenImage, GoldenSet
from modelrepo.metadata import Metadata
from modelrepo.reader import Bundle
from preprocessing.decode import decode
from preprocessing.errors import ImageError
from preprocessing.pipeline import read_pixels
from training.data.splits import Images, Split
from training.errors import ParityFailed
from training.evaluation.metrics import Probabilities, predicted_labels
from training.evaluation.onnx_inference import Classifier
from training.evaluation.service_client import Post
from training.evaluation.test_split import check_split, read_predictions


@dataclass(frozen=True)
class GoldenReplay:
    """How many golden images were compared, and the largest difference of a probability from the recorded one."""

    images: int
    largest_difference: float


def replay_bundle(bundle: Bundle, classify: Classifier) -> GoldenReplay:
    """Classify the golden images with the bundle's own graph; raises ParityFailed where it differs."""
    images = np.stack([_prepare(image, bundle.metadata) for image in bundle.golden.images])
    return _compare(bundle.golden, classify(images))


def replay_service(golden: GoldenSet, post: Post) -> GoldenReplay:
    """Post the golden images to a service; raises ParityFailed where its probabilities differ."""
    predictions = [post(_as_array(image), "application/x-npy") for image in golden.images]
    rows = [
        [prediction.probabilities.get(index, np.nan) for index in range(len(image.probabilities))]
        for prediction, image in zip(predictions, golden.images, strict=True)
    ]
    return _compare(golden, np.array(rows, np.float32))


def check_labels(bundle: Bundle, classify: Classifier, test: Split) -> int:
    """Classify a whole test split; returns how many images are right.

    Raises InvalidData where the bundle was evaluated on another split, ParityFailed where a label is not the recorded
    one.
    """
    check_split(bundle, test)
    predicted, recorded = predicted_labels(classify(test.images)), read_predictions(bundle.path)
    different = int((predicted != recorded).sum())
    if different:
        raise ParityFailed(f"{different} of {len(test)} test images get another label than the bundle records for them")
    return int((predicted == test.labels).sum())


def _as_array(image: GoldenImage) -> bytes:
    """The pixels as NumPy's file of one image: a service that reads handwriting would look for ink in a picture."""
    pixels, stream = np.asarray(decode(image.content)), io.BytesIO()
    np.save(stream, pixels.reshape(1, *pixels.shape[:2], -1), allow_pickle=False)
    return stream.getvalue()


def _prepare(image: GoldenImage, metadata: Metadata) -> Images:
    """The pixels of a golden image, which must have the graph's size and color mode; raises CorruptBundle."""
    try:
        prepared = read_pixels(image.content, metadata.input, metadata.preprocessing)
    except ImageError as error:
        raise CorruptBundle(f"golden image {image.file}: {error}") from error
    if prepared.steps:
        steps = ", ".join(prepared.steps)
        raise CorruptBundle(f"golden image {image.file} has not the size and color mode that the graph takes ({steps})")
    return prepared.pixels


def _compare(golden: GoldenSet, probabilities: Probabilities) -> GoldenReplay:
    recorded = np.array([image.probabilities for image in golden.images])
    largest = float(np.abs(probabilities - recorded).max())
    if not largest <= golden.tolerance:  # not `>`: NaN, a missing class, must fail too
        raise ParityFailed(
            f"the golden images' probabilities differ by {largest:.2g} (allowed {golden.tolerance:.0e}): "
            "this is not the model that was trained"
        )
    return GoldenReplay(len(golden.images), largest)

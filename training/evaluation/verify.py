"""Proof that a bundle, or a service, answers as Keras did when the bundle was made."""

from dataclasses import dataclass

import numpy as np

from modelrepo.errors import CorruptBundle
from modelrepo.golden import GoldenImage, GoldenSet
from modelrepo.metadata import Metadata
from modelrepo.reader import Bundle
from preprocessing.errors import ImageError
from preprocessing.pipeline import prepare_file
from training.data.specs import SPECS, DatasetSpec
from training.data.splits import Images, Split
from training.errors import InvalidData, ParityFailed
from training.evaluation.metrics import Probabilities, predicted_labels
from training.evaluation.onnx_inference import Classifier
from training.evaluation.predictions import read_predictions
from training.evaluation.service_client import Post


@dataclass(frozen=True)
class GoldenReplay:
    """How close the answers to the golden images came to the recorded ones."""

    images: int
    largest_difference: float


def replay_bundle(bundle: Bundle, classify: Classifier) -> GoldenReplay:
    """Classify the golden images with the bundle's own graph; raises ParityFailed where it differs."""
    images = np.stack([_prepare(image, bundle.metadata) for image in bundle.golden.images])
    return _compare(bundle.golden, classify(images))


def replay_service(golden: GoldenSet, post: Post) -> GoldenReplay:
    """Post the golden images to a service; raises ParityFailed where its probabilities differ."""
    answers = [post(image.content, "image/png").probabilities for image in golden.images]
    rows = [
        [answer.get(index, np.nan) for index in range(len(image.probabilities))]
        for answer, image in zip(answers, golden.images, strict=True)
    ]
    return _compare(golden, np.array(rows, np.float32))


def find_dataset(bundle: Bundle) -> DatasetSpec:
    """The data set that a bundle was trained on; raises InvalidData where its test split is not known here."""
    name = bundle.metadata.training.get("dataset", {}).get("name")
    if name not in SPECS:
        trained = f"on {name!r}" if name else "elsewhere"
        raise InvalidData(f"{bundle.path} was trained {trained}: it has no test split known here to compare it on")
    return SPECS[name]


def check_split(bundle: Bundle, test: Split) -> None:
    """Make sure that a split is the one the bundle was evaluated on; raises InvalidData."""
    if test.digest != bundle.metadata.evaluation.get("digest"):
        raise InvalidData("this test split is not the one that the bundle was evaluated on: its digest differs")


def check_labels(bundle: Bundle, classify: Classifier, test: Split) -> int:
    """Classify a whole test split; raises ParityFailed where a label is not the recorded one. Returns how many hit."""
    check_split(bundle, test)
    answered, expected = predicted_labels(classify(test.images)), read_predictions(bundle.path)
    different = int((answered != expected).sum())
    if different:
        raise ParityFailed(f"{different} of {len(test)} test images get another label than the bundle records for them")
    return int((answered == test.labels).sum())


def _compare(golden: GoldenSet, answered: Probabilities) -> GoldenReplay:
    recorded = np.array([image.probabilities for image in golden.images])
    largest = float(np.abs(answered - recorded).max())
    if not largest <= golden.tolerance:  # not `>`: NaN, a class left out, must fail too
        raise ParityFailed(
            f"the golden images' probabilities differ by {largest:.2g} (allowed {golden.tolerance:.0e}): "
            "this is not the model that was trained"
        )
    return GoldenReplay(len(golden.images), largest)


def _prepare(image: GoldenImage, metadata: Metadata) -> Images:
    """The pixels of a golden image, which must have the graph's size and color mode; raises CorruptBundle."""
    try:
        prepared = prepare_file(image.content, metadata.input, metadata.preprocessing)
    except ImageError as error:
        raise CorruptBundle(f"golden image {image.file}: {error}") from error
    if prepared.steps:
        steps = ", ".join(prepared.steps)
        raise CorruptBundle(f"golden image {image.file} has not the size and color mode that the graph takes ({steps})")
    return prepared.pixels

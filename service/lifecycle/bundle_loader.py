"""The bundle loader: a bundle is read, checked, opened, verified by its golden images and warmed up, then it serves."""

import logging
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from modelrepo.errors import InvalidMetadata, RepositoryError
from modelrepo.golden import GoldenSet
from modelrepo.reader import Bundle, read_version
from modelrepo.repository import ModelRepository
from preprocessing.png import encode_png
from service.codecs.inputs import EncodedImage, EncodedImages
from service.codecs.limits import Limits
from service.errors import public_text
from service.inference.model_version import FailedVersion, LoadedVersion
from service.inference.predictor import Predictor
from service.inference.runtime import UnusableGraph, load_model

logger = logging.getLogger("convserve")

Opener = Callable[[Bundle], Predictor]


def load_version(repository: ModelRepository, name: str, version: int, opener: Opener) -> LoadedVersion | FailedVersion:
    """Load one version; whatever is wrong with its bundle becomes a FailedVersion, and the others are served."""
    try:
        bundle = read_version(repository, name, version)
        predictor = opener(bundle)
        verify_golden(bundle.golden, predictor)
        warm_up(predictor)
    except Exception as error:  # a bundle can fail in any way, and none may stop the others from being loaded
        failure = _failure_word(error)
        logger.warning("failed to load %s version %s: %s", name, version, error, exc_info=failure == "unexpected")
        return FailedVersion(name, version, public_text(error), failure)
    return LoadedVersion(name, version, predictor)


def open_bundle(bundle: Bundle, threads: int, limits: Limits) -> Predictor:
    """A predictor over the bundle's ONNX file, run with `threads` threads; raises UnusableGraph."""
    metadata = bundle.metadata
    model = load_model(bundle.model, metadata.input, metadata.output, threads)
    return Predictor(metadata, bundle.digest, model, limits)


class GoldenMismatch(Exception):
    """The probabilities of golden images differ from those that the training framework computed."""


def verify_golden(golden: GoldenSet, predictor: Predictor) -> None:
    """Send the golden images through decoding, preprocessing and the network; raises GoldenMismatch."""
    if not golden.images:
        raise GoldenMismatch("the bundle has no golden images: export it again")
    inputs = [EncodedImages((EncodedImage(image.content, image.file),)) for image in golden.images]
    pixels = np.concatenate([predictor.prepare(each, timeline=[]).pixels for each in inputs])
    probabilities = predictor.probabilities(pixels, timeline=[])
    expected = np.array([image.probabilities for image in golden.images])
    if probabilities.shape != expected.shape:
        classes, recorded = probabilities.shape[1], expected.shape[1]
        raise GoldenMismatch(f"the graph gives {classes} classes, the golden images have {recorded}")
    differences = np.abs(probabilities - expected).max(axis=1)
    worst = int(differences.argmax())
    if not differences[worst] <= golden.tolerance:  # NaN is not within any tolerance
        file, difference = golden.images[worst].file, differences[worst]
        raise GoldenMismatch(f"golden image {file} is {difference:.2g} off, more than {golden.tolerance:.2g}")


def warm_up(predictor: Predictor) -> None:
    """Classify an image of a size that no model has, so that no request pays for first imports and allocations."""
    page = Image.new("RGB", (75, 50), "white")
    ImageDraw.Draw(page).line([(20, 10), (50, 10), (30, 40)], fill="black", width=4)
    inputs = EncodedImages((EncodedImage(encode_png(np.asarray(page)), "warm-up"),))
    predictor.classify(inputs, timeline=[])


def _failure_word(error: Exception) -> str:
    """The word for the metric of load failures."""
    words: dict[type[Exception], str] = {
        InvalidMetadata: "metadata",
        RepositoryError: "corrupt",
        OSError: "unreadable",
        UnusableGraph: "graph",
        GoldenMismatch: "golden",
    }
    return next((word for kind, word in words.items() if isinstance(error, kind)), "unexpected")

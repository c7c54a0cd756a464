"""Verified loading: a version is served only if its golden images come out as the training framework saw them.

The first request pays for imports and memory that later ones find ready; here the service pays for it itself.

Verified loading: one bundle becomes a version that is served, or one that was refused with its reason.
"""

import io
import logging
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from modelrepo.errors import InvalidMetadata, RepositoryError
from modelrepo.golden import GoldenSet
from modelrepo.reader import Bundle, read_version
from modelrepo.repository import ModelRepository
from service.codecs.inputs import EncodedImage, EncodedImages
from service.inference.model_version import LoadedVersion
from service.inference.predictor import Predictor
from service.inference.runtime import UnusableGraph
from service.telemetry.stage_timer import StageTimer


class GoldenMismatch(Exception):
    """The runtime's probabilities differ from the recorded ones."""


def replay(golden: GoldenSet, predictor: Predictor) -> None:
    """Send the golden images through the whole pipeline; raises WrongAnswers where a probability is off."""
    if not golden.images:
        raise GoldenMismatch("the bundle has no golden images: export it again")
    stages = StageTimer(0.0)
    inputs = [EncodedImages((EncodedImage(image.content, image.file),)) for image in golden.images]
    pixels = np.concatenate([predictor.prepare(each, stages).pixels for each in inputs])
    found = predictor.probabilities(pixels, stages)
    expected = np.array([image.probabilities for image in golden.images])
    if found.shape != expected.shape:
        raise GoldenMismatch(f"the graph gives {found.shape[1]} classes, the golden images have {expected.shape[1]}")
    differences = np.abs(found - expected).max(axis=1)
    worst = int(differences.argmax())
    if not differences[worst] <= golden.tolerance:  # NaN is not within any tolerance
        file, difference = golden.images[worst].file, differences[worst]
        raise GoldenMismatch(f"golden image {file} is {difference:.2g} off, more than {golden.tolerance:.2g}")


def warm_up(predictor: Predictor) -> None:
    """Classify a drawing of a size that no model has, so that decoding, preprocessing and the graph all run once."""
    page = Image.new("RGB", (75, 50), "white")
    ImageDraw.Draw(page).line([(20, 10), (50, 10), (30, 40)], fill="black", width=4)
    file = io.BytesIO()
    page.save(file, "PNG")
    inputs = EncodedImages((EncodedImage(file.getvalue(), "warm-up"),))
    predictor.classify(inputs, StageTimer(0.0))


logger = logging.getLogger("convserve")

Opener = Callable[[Bundle], Predictor]


def load_version(repository: ModelRepository, name: str, version: int, open_bundle: Opener) -> LoadedVersion:
    """Read, verify, open, replay and warm up; whatever is wrong with the bundle, others must not suffer from it."""
    try:
        bundle = read_version(repository, name, version)
        predictor = open_bundle(bundle)
        replay(bundle.golden, predictor)
        warm_up(predictor)
    except Exception as error:  # whatever is wrong with one bundle, the others are served
        failure = _failure_word(error)
        logger.warning("refused %s version %s: %s", name, version, error, exc_info=failure == "unexpected")
        return LoadedVersion(name, version, None, str(error), failure)
    return LoadedVersion(name, version, predictor)


def _failure_word(error: Exception) -> str:
    kinds: dict[type[Exception], str] = {
        InvalidMetadata: "metadata",
        RepositoryError: "corrupt",
        OSError: "unreadable",
        UnusableGraph: "graph",
        GoldenMismatch: "golden",
    }
    return next((word for kind, word in kinds.items() if isinstance(error, kind)), "unexpected")

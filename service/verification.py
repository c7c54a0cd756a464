"""Verified loading: a version is served only if its golden images come out as the training framework saw them."""

import numpy as np

from modelrepo.golden import GoldenSet
from service.inputs import EncodedImage, EncodedImages
from service.predictor import Predictor
from service.stages import Stages


class WrongAnswers(Exception):
    """The runtime's probabilities differ from the recorded ones."""


def replay(golden: GoldenSet, predictor: Predictor) -> None:
    """Send the golden images through the whole pipeline; raises WrongAnswers where a probability is off."""
    if not golden.images:
        raise WrongAnswers("the bundle has no golden images: export it again")
    stages = Stages(0.0)
    inputs = [EncodedImages((EncodedImage(image.content, image.file),)) for image in golden.images]
    pixels = np.concatenate([predictor.prepare(each, stages).pixels for each in inputs])
    found = predictor.probabilities(pixels, stages)
    expected = np.array([image.probabilities for image in golden.images])
    if found.shape != expected.shape:
        raise WrongAnswers(f"the graph gives {found.shape[1]} classes, the golden images have {expected.shape[1]}")
    differences = np.abs(found - expected).max(axis=1)
    worst = int(differences.argmax())
    if not differences[worst] <= golden.tolerance:  # NaN is not within any tolerance
        file, difference = golden.images[worst].file, differences[worst]
        raise WrongAnswers(f"golden image {file} is {difference:.2g} off, more than {golden.tolerance:.2g}")

"""The check of an ONNX model before it is published: it must run, and its output must be as the bundle describes it."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime

from modelrepo.metadata import InputSpec, Preprocessing
from training.data.splits import Images
from training.errors import InvalidModel
from training.evaluation.golden_images import TOLERANCE
from training.evaluation.metrics import Probabilities
from training.evaluation.onnx_inference import Scorer, Scores, open_scorer, to_probabilities
from training.onnx_import.signature import ValueInfo

_SUM_TOLERANCE = 1e-3  # half a million float32 roundings stay below it; the outputs of other activations do not

_SOURCE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : (/\S+:\d+ .*?\) (?=[A-Z]))?")


@dataclass(frozen=True)
class CheckResult:
    """The images' probabilities, and their largest difference from those of each image run by itself."""

    probabilities: Probabilities
    largest_difference: float

    def to_json(self) -> dict[str, Any]:
        """The record as it stands in the bundle's metadata: there is no framework to compare with."""
        return {
            "compared": "ONNX Runtime on all images together and on each by itself",
            "images": len(self.probabilities),
            "tolerance": TOLERANCE,
            "largest_difference": self.largest_difference,
        }


def check_model(
    content: bytes, images: Images, spec: InputSpec, contract: Preprocessing, *, output: ValueInfo, kind: str
) -> CheckResult:
    """Run images, uint8 [N, height, width, channels], together and one by one.

    Raises InvalidModel for a graph that cannot be loaded, run or served, or whose images change each other's results.
    """
    score = _open(content, spec, contract)
    together = _run(score, images, output)
    _check_kind(together, kind, output)
    _check_images_matter(together)
    alone = np.concatenate([_run(score, image[np.newaxis], output) for image in images])
    return _compare(to_probabilities(together, kind), to_probabilities(alone, kind))


def _open(content: bytes, spec: InputSpec, contract: Preprocessing) -> Scorer:
    try:
        return open_scorer(content, spec, contract)
    except Exception as error:  # ONNX Runtime's errors have no common base below Exception
        raise InvalidModel(
            f"ONNX Runtime {onnxruntime.__version__} cannot load the graph ({_describe(error)}): "
            "export it again, for an opset and with operations that this release knows"
        ) from error


def _run(score: Scorer, images: Images, output: ValueInfo) -> Scores:
    """Scores, float32 [N, classes]."""
    try:
        scores = score(images)
    except Exception as error:  # likewise
        raise InvalidModel(
            f"the graph does not run on {len(images)} images ({_describe(error)}): if it is made for batches of "
            "one size, give --batch 1 or that size, else look at --layout and --size"
        ) from error
    if scores.ndim != 2 or len(scores) != len(images):
        raise InvalidModel(
            f"the output {output} gives an array of {list(scores.shape)} for {len(images)} images where a classifier "
            "gives [N, classes]: export it with its last axes flattened, or give --batch 1 if it is made for one image"
        )
    if scores.shape[1] < 2:
        raise InvalidModel(
            f"the output {output} gives {scores.shape[1]} number an image where a classifier gives one a class, two at "
            "least: export a network that decides between two classes with both as outputs"
        )
    if scores.dtype != np.float32:
        raise InvalidModel(f"the output {output} is not float32: export the network with such an output")
    if not np.isfinite(scores).all():
        raise InvalidModel(
            "the graph gives NaN or infinity for drawn images: look at the preprocessing and its weights"
        )
    return scores


def _check_kind(scores: Scores, kind: str, output: ValueInfo) -> None:
    sums = scores.sum(axis=1)
    if kind == "probabilities" and (scores.min() < -_SUM_TOLERANCE or np.abs(sums - 1).max() > _SUM_TOLERANCE):
        raise InvalidModel(
            f"the output {output} is no probabilities: an image's numbers sum to between {sums.min():.4g} and "
            f"{sums.max():.4g}, the least being {scores.min():.4g}: give --output logits if they are; "
            "numbers that judge each class by itself, as after a sigmoid, cannot be served"
        )


def _check_images_matter(scores: Scores) -> None:
    if not np.ptp(scores, axis=0).any():
        raise InvalidModel(
            f"the graph gives the same answer to {len(scores)} different pictures, as a network does that gets the "
            "wrong numbers: look at --preset, --scale, --mean and --std"
        )


def _compare(together: Probabilities, alone: Probabilities) -> CheckResult:
    largest = float(np.abs(together - alone).max())
    if not largest <= TOLERANCE:
        raise InvalidModel(
            f"an image's probabilities change by {largest:.2g} with the images beside it in a batch: give --batch 1, "
            "and each is run by itself"
        )
    return CheckResult(together, largest)


def _describe(error: Exception) -> str:
    """ONNX Runtime's message in one line, without the place in its source and the signature of the function."""
    return _SOURCE.sub("", " ".join(str(error).split())).rstrip(". ")

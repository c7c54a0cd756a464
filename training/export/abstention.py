"""A graph gets an outlier score, fitted on training images, and a threshold for it, chosen on validation images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, OutputSpec, Preprocessing
from training.data.splits import ImageArray, Split, take
from training.errors import ParityFailed, Unfitted
from training.evaluation.golden_images import draw_extremes
from training.evaluation.metrics import Probabilities, predicted_labels
from training.evaluation.onnx_inference import Scorer, open_outputs, open_scorer
from training.export.outlier_output import append_energy, append_score, expose_features
from training.export.outlier_score import Features, OutlierScore, fit

DISTANCE, ENERGY = "distance", "energy"
FITTED = 10_000  # training images that the score is fitted on, or all where there are fewer
COMPARED = 1000  # test images whose answers must be the same with the score and without


@dataclass(frozen=True)
class Contract:
    """What a graph takes and gives, and how images are prepared for it."""

    input: InputSpec
    preprocessing: Preprocessing
    output: OutputSpec


@dataclass(frozen=True)
class Splits:
    """The images that the score is fitted on, those that the threshold is chosen on, and those that it is tried on."""

    train: Split
    validation: Split
    test: Split


@dataclass(frozen=True)
class Abstention:
    """A graph with an outlier score, above which value its model abstains, and the figures of that."""

    graph: bytes
    above: float
    record: dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """How a score is computed, DISTANCE or ENERGY, and the share (0 to 1) of right validation answers that it costs."""

    score: str
    share: float


def fit_abstention(graph: bytes, contract: Contract, splits: Splits, rule: Rule, seed: int) -> Abstention:
    """Add an outlier score, and choose the threshold that the rule's share of the right validation answers exceed.

    Raises Unfitted for a graph without a last dense layer, or where no validation image is classified right, and
    ParityFailed where the graph would no longer give the same answers to the last bit.
    """
    if rule.score == ENERGY:
        scored = append_energy(graph, contract.output.name)
    else:
        fitted = _sample(splits.train, seed)
        scored = append_score(graph, contract.output.name, _fit_score(graph, contract, fitted, splits.validation))
    compute = _Scorer(scored, contract)
    validation, test = compute.measure(splits.validation), compute.measure(splits.test)
    if not validation.right.any():
        raise Unfitted("no held out image is classified right, so there is nothing to choose a threshold by")
    above = float(np.quantile(validation.scores[validation.right], 1 - rule.share))
    _check_same_answers(open_scorer(graph, contract.input, contract.preprocessing), test.answers, splits.test)
    spec = contract.input
    extremes = compute(draw_extremes((spec.height, spec.width, spec.channels), seed))[1]
    record = {
        "score": rule.score,
        "share": rule.share,
        "validation": validation.describe(above),
        "test": test.describe(above),
        "noise": {"images": len(extremes), "abstained": float((extremes > above).mean())},
    }
    return Abstention(scored, above, record)


def _check_same_answers(before: Scorer, after: Probabilities, test: Split) -> None:
    some = np.arange(min(COMPARED, len(test)))
    if not np.array_equal(before(take(test, some).images), after[some]):
        raise ParityFailed("with the outlier score the graph gives other answers than without; nothing was published")


@dataclass(frozen=True)
class _Measured:
    """The graph's answers to a split, its outlier scores [N], and which of the answers are right."""

    answers: Probabilities
    scores: NDArray[np.float32]
    right: NDArray[np.bool_]

    def describe(self, above: float) -> dict[str, Any]:
        """The shares of the images, and of those with a right answer, that the model abstains from."""
        unlike = self.scores > above
        return {
            "images": len(unlike),
            "abstained": float(unlike.mean()),
            "right_answers_lost": float(unlike[self.right].mean()),
        }


class _Scorer:
    """A graph with an outlier score, opened."""

    def __init__(self, graph: bytes, contract: Contract) -> None:
        self._compute = open_outputs(graph, contract.input, contract.preprocessing)

    def __call__(self, images: ImageArray) -> tuple[Probabilities, NDArray[np.float32]]:
        answers, scores = self._compute(images)
        return answers, scores

    def measure(self, split: Split) -> _Measured:
        answers, scores = self(split.images)
        return _Measured(answers, scores, predicted_labels(answers) == split.labels)


def _fit_score(graph: bytes, contract: Contract, train: Split, validation: Split) -> OutlierScore:
    exposed, names = expose_features(graph, contract.output.name)
    compute = open_outputs(exposed, contract.input, contract.preprocessing)

    def features(split: Split) -> Features:
        return Features(*compute(split.images), *[None] * (2 - len(names)))

    return fit(features(train), train.labels, features(validation))


def _sample(split: Split, seed: int) -> Split:
    count = min(FITTED, len(split))
    return take(split, np.sort(np.random.default_rng(seed).choice(len(split), count, replace=False)))

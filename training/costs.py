"""What bundles' networks cost for one image, as multiples of the first one's time, beside how accurate they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelrepo.reader import Bundle
from training.errors import InvalidData
from training.intervals import Interval, wilson_interval
from training.stopwatch import Stopwatch, time_both

_IMAGES = 64  # drawn at random: the time does not depend on what is in an image


@dataclass(frozen=True)
class Cost:
    """A bundle's figures; `ratio` is its time for one image by the baseline's, measured in turn on one thread."""

    label: str
    accuracy: float
    interval: Interval
    multiply_adds: int
    size: int
    milliseconds: float
    ratio: float


def measure_costs(bundles: Sequence[Bundle], watch: Stopwatch = time_both) -> list[Cost]:
    """The first bundle is the baseline; raises InvalidData where they cannot be compared.

    They must take uint8 pixels in NHWC of one shape and have been evaluated, which imported ones may not have been.
    """
    baseline = bundles[0]
    shape = _shape(baseline)
    for bundle in bundles:
        _require_comparable(bundle, shape)
    images = np.random.default_rng(1).integers(0, 256, (_IMAGES, *shape), np.uint8)
    graph = baseline.model.read_bytes()
    return [_measure(bundle, watch(graph, bundle.model.read_bytes(), images)) for bundle in bundles]


def _require_comparable(bundle: Bundle, shape: tuple[int, int, int]) -> None:
    taken = bundle.metadata.input
    if _shape(bundle) != shape or (taken.dtype, taken.layout) != ("uint8", "NHWC"):
        raise InvalidData(
            f"{bundle.path} takes {taken.dtype} in {taken.layout} of {_shape(bundle)}: costs can be compared between "
            f"bundles that take uint8 in NHWC of one shape, here {shape}"
        )
    if "correct" not in bundle.metadata.evaluation:
        raise InvalidData(
            f"{bundle.path} does not say how many test images it gets right, as imported bundles do not: take one that "
            "`train` or `export` published"
        )


def _measure(bundle: Bundle, seconds: tuple[float, float]) -> Cost:
    metadata = bundle.metadata
    correct, examples = int(metadata.evaluation["correct"]), int(metadata.evaluation["examples"])
    return Cost(
        label=f"{metadata.name}/{metadata.version}",
        accuracy=correct / examples,
        interval=wilson_interval(correct, examples),
        multiply_adds=sum(layer.multiply_adds for layer in metadata.layers),
        size=bundle.model.stat().st_size,
        milliseconds=seconds[1] * 1000,
        ratio=seconds[1] / seconds[0],
    )


def _shape(bundle: Bundle) -> tuple[int, int, int]:
    size = bundle.metadata.input
    return size.height, size.width, size.channels

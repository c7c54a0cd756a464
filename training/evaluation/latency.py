"""The latency of two graphs for one image, measured in turn: other load on the machine slows both down alike."""

import time
from collections.abc import Callable, Iterator
from itertools import cycle

import numpy as np

from training.data.splits import ImageArray, Images
from training.evaluation.onnx_inference import open_session

# From two serialized graphs and images to each graph's median time for one image, in seconds.
Stopwatch = Callable[[bytes, bytes, ImageArray], tuple[float, float]]
_Run = Callable[[Images], object]

_WARM_UP = 20  # rounds in which caches fill and the runtime plans its memory
_ROUNDS = 1000  # a median of these differs by 1 % from one measurement to the next
_MIN_ROUNDS = 50  # for large networks, of which 1,000 would take minutes
_SECONDS = 20.0


def time_both(first: bytes, second: bytes, images: ImageArray) -> tuple[float, float]:
    """Each graph's median time for one image, in seconds, on one thread as in a service's worker on one CPU."""
    pair = [_open(first), _open(second)]
    rounds = [[_time(run, image) for run in pair] for image in _repeat(images)]
    first_median, second_median = np.median(rounds[_WARM_UP:], axis=0)
    return float(first_median), float(second_median)


def _open(graph: bytes) -> _Run:
    session = open_session(graph, threads=1)
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})


def _repeat(images: ImageArray) -> Iterator[Images]:
    """Batches of one image, again and again, until the rounds are done or the time is over."""
    end = time.perf_counter() + _SECONDS
    for number, position in enumerate(cycle(range(len(images)))):
        late = time.perf_counter() > end and number >= _WARM_UP + _MIN_ROUNDS
        if late or number == _WARM_UP + _ROUNDS:
            return
        yield images[position : position + 1]


def _time(run: _Run, image: Images) -> float:
    start = time.perf_counter()
    run(image)
    return time.perf_counter() - start

"""How long two graphs take for one image, measured side by side: a loaded machine slows both down alike."""

import time
from collections.abc import Callable, Iterator
from itertools import cycle

import numpy as np
import onnxruntime

from training.data.splits import Images, Pictures

# From two serialised graphs and images to each one's median time for one image, in seconds.
Stopwatch = Callable[[bytes, bytes, Pictures], tuple[float, float]]

_WARM_UP = 20  # rounds in which caches fill and the runtime plans its memory
_ROUNDS = 1000  # a median of these differs by 1 % from one measurement to the next
_LEAST = 50  # for large networks, of which 1,000 would take minutes
_SECONDS = 20.0


def time_both(first: bytes, second: bytes, images: Pictures) -> tuple[float, float]:
    """Run each image in both graphs in turn, on one thread, as a worker of the service on one CPU would."""
    pair = [_open(first), _open(second)]
    rounds = [_time_round(pair, image) for image in _take(images)]
    slow, fast = np.median(rounds[_WARM_UP:], axis=0)
    return float(slow), float(fast)


def _take(images: Pictures) -> Iterator[Images]:
    """One image at a time, until there were enough of them or time is up."""
    end = time.perf_counter() + _SECONDS
    for number, position in enumerate(cycle(range(len(images)))):
        late = time.perf_counter() > end and number >= _WARM_UP + _LEAST
        if late or number == _WARM_UP + _ROUNDS:
            return
        yield images[position : position + 1]


def _time_round(pair: list[Callable[[Images], object]], image: Images) -> list[float]:
    return [_time(run, image) for run in pair]


def _time(run: Callable[[Images], object], image: Images) -> float:
    start = time.perf_counter()
    run(image)
    return time.perf_counter() - start


def _open(graph: bytes) -> Callable[[Images], object]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})

"""The baseline: CPU time of decoding and classifying the same images in one thread, without a server."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from modelrepo.metadata import InputSpec
from modelrepo.reader import read_metadata
from modelrepo.repository import MODEL
from preprocessing.decode import decode
from service.inference.runtime import Model, load_model

Classify = Callable[[bytes], object]


class BaselineNotComparable(Exception):
    """The baseline cannot be compared: the bundle is not on this machine, or its images need more than decoding."""


def load_baseline(bundle: Path, contents: Sequence[bytes]) -> Classify:
    """The baseline's work on one image: the service's decoder, a NumPy array, one run of ONNX Runtime with one thread.

    No preprocessing, ranking, labels, JSON or HTTP. Decoder and session options are those of the service, so its checks
    of the file are on both sides of the comparison. In so short a loop the processor's caches stay warm, which they do
    not in a server: a ratio of 1 cannot be reached. Raises BaselineNotComparable.
    """
    if not bundle.is_dir():
        raise BaselineNotComparable(f"{bundle} is not here")
    metadata = read_metadata(bundle)
    spec = metadata.input
    if (spec.dtype, spec.layout) != ("uint8", "NHWC") or not all(
        _needs_no_preprocessing(content, spec) for content in contents
    ):
        raise BaselineNotComparable("the images need preprocessing")
    return _classifier(load_model(bundle / MODEL, spec, metadata.output, threads=1), spec)


def cpu_microseconds(classify: Classify, contents: Sequence[bytes], seconds: float) -> float:
    """CPU time an image, kernel time included, over about `seconds` of going through all the images."""
    images, until, begun = 0, time.perf_counter() + seconds, time.process_time()
    while time.perf_counter() < until:
        for content in contents:
            classify(content)
        images += len(contents)
    return (time.process_time() - begun) / images * 1e6


def _classifier(model: Model, spec: InputSpec) -> Classify:
    shape = (1, spec.height, spec.width, spec.channels)
    return lambda content: model(np.asarray(decode(content)).reshape(shape)).scores


def _needs_no_preprocessing(content: bytes, spec: InputSpec) -> bool:
    image = decode(content)
    return image.size == (spec.width, spec.height) and image.mode == {1: "L", 3: "RGB"}.get(spec.channels)

"""The code whose pixels are frozen. When it moves, these imports change and nothing else here does."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, Preprocessing
from preprocessing.decode import decode
from preprocessing.normalize import normalize
from preprocessing.pipeline import prepare

MAX_PIXELS = 50_000_000


def prepare_file(content: bytes, spec: InputSpec, contract: Preprocessing) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The pixels, uint8 [height, width, channels], of an image file, and the words for what was done to it."""
    prepared = prepare(decode(content, MAX_PIXELS), spec, contract)
    return prepared.pixels, prepared.steps


def normalize_pixels(pixels: NDArray[np.uint8], spec: InputSpec, contract: Preprocessing) -> NDArray[Any]:
    """What the graph takes, from uint8 [N, height, width, channels]."""
    return normalize(pixels, spec, contract)

"""Pixels as the graph takes them: channel order, scale, mean, standard deviation, layout."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, Preprocessing


def normalize(pixels: NDArray[np.uint8], spec: InputSpec, rules: Preprocessing) -> NDArray[Any]:
    """What the graph takes, C-contiguous, from uint8 [N, height, width, channels], colour being RGB.

    Turned round where the graph takes BGR; (pixel × scale − mean) / std in float32 where the contract asks for any of
    them or for float32, else the uint8 pixels themselves; transposed to [N, channels, height, width] where the layout
    is NCHW.
    """
    batch: NDArray[Any] = pixels[..., ::-1] if rules.channel_order == "bgr" else pixels
    if spec.dtype != "uint8" or not (rules.scale is None and rules.mean is None and rules.std is None):
        batch = _scaled(batch.astype(np.float32), rules)
    if spec.layout == "NCHW":
        batch = batch.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(batch)


def _scaled(batch: NDArray[np.float32], rules: Preprocessing) -> NDArray[np.float32]:
    if rules.scale is not None:
        batch *= np.float32(rules.scale)
    if rules.mean is not None:
        batch -= np.asarray(rules.mean, np.float32)
    if rules.std is not None:
        batch /= np.asarray(rules.std, np.float32)
    return batch

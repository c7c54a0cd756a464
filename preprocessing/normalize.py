"""Normalization: pixels become the graph's input tensor, by channel order, scale, mean, standard deviation, layout."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, Preprocessing


def normalize(pixels: NDArray[np.uint8], spec: InputSpec, contract: Preprocessing) -> NDArray[Any]:
    """Make the graph's input, C-contiguous, of uint8 [N, height, width, channels] with color as RGB.

    The channels are reversed where the graph takes BGR. Values become float32, (pixel × scale − mean) / std with the
    numbers that the contract gives, where the graph takes float32 or there are such numbers; else they stay the uint8
    pixels. The result is [N, channels, height, width] where the layout is NCHW. May be `pixels` itself.
    """
    batch: NDArray[Any] = pixels[..., ::-1] if contract.channel_order == "bgr" else pixels
    if spec.dtype != "uint8" or not (contract.scale is None and contract.mean is None and contract.std is None):
        batch = _scale(batch.astype(np.float32), contract)
    if spec.layout == "NCHW":
        batch = batch.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(batch)


def _scale(batch: NDArray[np.float32], contract: Preprocessing) -> NDArray[np.float32]:
    if contract.scale is not None:
        batch *= np.float32(contract.scale)
    if contract.mean is not None:
        batch -= np.asarray(contract.mean, np.float32)
    if contract.std is not None:
        batch /= np.asarray(contract.std, np.float32)
    return batch

"""A bundle's preprocessing contract, carried out for images that already have the graph's size and colours.

Written apart from the service's: when golden images come out alike there, two readings of the contract agree.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, Preprocessing
from training.data.splits import Images

Tensor = NDArray[Any]


def make_tensor(images: Images, spec: InputSpec, rules: Preprocessing) -> Tensor:
    """What the graph takes, from uint8 [N, height, width, channels] with colour as RGB.

    Float32 is computed as it stands in the contract, channel by channel: (pixel × scale − mean) / std.
    """
    order = range(spec.channels)
    planes: list[Tensor] = [
        images[..., place] for place in (reversed(order) if rules.channel_order == "bgr" else order)
    ]
    if spec.dtype == "float32":
        planes = [_normalise(plane.astype(np.float32), place, rules) for place, plane in enumerate(planes)]
    return np.stack(planes, axis=1 if spec.layout == "NCHW" else 3)


def _normalise(plane: NDArray[np.float32], place: int, rules: Preprocessing) -> NDArray[np.float32]:
    scaled = plane if rules.scale is None else plane * np.float32(rules.scale)
    centred = scaled if rules.mean is None else scaled - np.float32(rules.mean[place])
    return centred if rules.std is None else centred / np.float32(rules.std[place])

"""The one rule that makes pixels numbers for a network: 0–255 becomes 0–1."""

import numpy as np
from numpy.typing import NDArray

from training.datasets import Images

FULL_SCALE = 255.0


def scale(images: Images) -> NDArray[np.float32]:
    """What the Keras network takes; the exported graph does the same from uint8."""
    return images.astype(np.float32) / np.float32(FULL_SCALE)

"""One file of images in a CIFAR archive, read."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.datasets import Images

CHANNELS, SIDE = 3, 32
PIXELS = CHANNELS * SIDE * SIDE  # 3,072 bytes an image: all red ones, all green ones, all blue ones, each row by row


@dataclass(frozen=True)
class Batch:
    """Images as uint8 [N, 3072] in the archive's order of bytes, with N labels that nobody has checked yet."""

    planes: NDArray[np.uint8]
    labels: NDArray[np.generic]

    @property
    def images(self) -> Images:
        """The same pixels as [N, height, width, channels]."""
        planes = self.planes.reshape(-1, CHANNELS, SIDE, SIDE)
        return np.ascontiguousarray(planes.transpose(0, 2, 3, 1))


class BatchFormat(Protocol):
    """How one version of an archive writes one kind of labels. `source` names the file in what is raised."""

    @property
    def names_file(self) -> str:
        """The file that lists the names of the classes."""

    def read_names(self, content: bytes, source: str) -> tuple[str, ...]:
        """The names in the order of the labels; raises InvalidData."""

    def read_batch(self, content: bytes, source: str) -> Batch:
        """The images of one file; raises InvalidData."""

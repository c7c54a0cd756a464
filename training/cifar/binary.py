"""The `binary` version: records of label bytes and pixels without anything between them, and names one a line."""

from dataclasses import dataclass

import numpy as np

from training.cifar.batches import PIXELS, Batch
from training.errors import InvalidData


@dataclass(frozen=True)
class BinaryFormat:
    """Records of so many label bytes, of which one counts here, and 3,072 pixels."""

    names_file: str
    label_bytes: int
    position: int

    def read_names(self, content: bytes, source: str) -> tuple[str, ...]:
        """A name a line; CIFAR-10's list ends with an empty one."""
        try:
            return tuple(content.decode("ascii").split())
        except UnicodeDecodeError as error:
            raise InvalidData(f"{source} is not a list of names ({error}): copy the archive again") from error

    def read_batch(self, content: bytes, source: str) -> Batch:
        """Cut the file into records."""
        size = self.label_bytes + PIXELS
        if len(content) % size:
            raise InvalidData(
                f"{source} has {len(content):,} bytes, which is no multiple of the {size:,} of an image: "
                "copy the archive again"
            )
        records = np.frombuffer(content, np.uint8).reshape(-1, size)
        return Batch(records[:, self.label_bytes :], records[:, self.position])

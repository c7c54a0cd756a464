"""What a client wants classified, freed of the form in which it came."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class EncodedImage:
    """A picture file's bytes and what the client calls it, for error messages."""

    content: bytes
    name: str


@dataclass(frozen=True)
class EncodedImages:
    """One picture file or more."""

    images: tuple[EncodedImage, ...]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class PixelArray:
    """Pixels that the client decoded itself, in whatever shape and dtype it chose."""

    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.values) if self.values.ndim else 0


Inputs = EncodedImages | PixelArray

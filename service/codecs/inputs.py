"""The inputs of a prediction, the same for every protocol and form of body: encoded images, or an array of pixels."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class EncodedImage:
    """An image file's bytes, and a name for it in error messages."""

    content: bytes
    name: str


@dataclass(frozen=True)
class EncodedImages:
    """One image file or more."""

    images: tuple[EncodedImage, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of all files."""
        return sum(len(image.content) for image in self.images)

    def owned(self) -> "EncodedImages":
        """The same without the request's body behind it; files never share its memory."""
        return self


@dataclass(frozen=True)
class PixelArray:
    """Pixels that the client decoded itself, in whatever shape and dtype it chose; or that came out of image files."""

    values: NDArray[Any]
    is_prepared: bool = False  # from image files, by the service: whatever they are, they are right

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels."""
        return self.values.nbytes

    def owned(self) -> "PixelArray":
        """The same without the request's body behind it, of which the array may be a view."""
        return PixelArray(self.values.copy(), self.is_prepared)


Inputs = EncodedImages | PixelArray

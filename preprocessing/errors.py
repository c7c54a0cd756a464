"""What can be wrong with an image file. The texts state the fact; advice and HTTP statuses are the callers'."""

import struct
import zlib

# What Pillow raises on damaged or hostile bytes, beside DecompressionBombError, which is a matter of size.
DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


class ImageError(Exception):
    """An image file that cannot be used; the text is a clause that says why."""


class InvalidImage(ImageError):
    """The bytes are not an image that can be decoded."""


class EmptyImage(InvalidImage):
    """There are no bytes."""


class UnknownFormat(InvalidImage):
    """The bytes do not begin like a file of any format that is read."""


class UnsupportedVariant(InvalidImage):
    """The file may be whole, but is a variant of its format that is not read."""


class TruncatedImage(InvalidImage):
    """The file ends before its image does."""


class DamagedImage(InvalidImage):
    """The file is complete and cannot be decoded."""


class ImageTooLarge(ImageError):
    """The image has more pixels than the caller allows."""


class CostlyImage(ImageError):
    """Decoding the image may take more time or memory than the caller allows; nothing is known to be wrong with it."""


class ImageTooCostly(ImageError):
    """Decoding or preparing the image takes more time or memory than there is."""

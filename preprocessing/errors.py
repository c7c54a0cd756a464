"""What can be wrong with an image file. Nothing here knows HTTP: the service gives each its status."""

import struct
import zlib

# What Pillow raises on damaged or hostile bytes, beside DecompressionBombError, which is a matter of size.
DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


class ImageError(Exception):
    """An image file that cannot be used; the text says why, and what to do."""


class InvalidImage(ImageError):
    """The bytes are not an image that can be decoded."""


class ImageTooLarge(ImageError):
    """The image has more pixels than the caller allows."""

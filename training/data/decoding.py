"""Bytes of an image file become the pixels that a network is shown, by a bundle's preprocessing contract.

Written apart from the service's, as are `colouring` and `framing`: that both give the same pixels for the same file, to
the last bit, is what `evaluate` proves and what makes a network meet in service what it has learned from.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL.Image import Transpose
from PIL.ImageFile import ImageFile

from modelrepo.metadata import Preprocessing
from training.data.colouring import coloured
from training.data.framing import framed
from training.errors import InvalidData

Pixels = NDArray[np.uint8]  # [height, width, channels]
Decode = Callable[[bytes], Pixels]

# What the service takes; importing a plugin registers it.
_PLUGINS = {
    "JPEG": JpegImagePlugin,
    "PNG": PngImagePlugin,
    "WEBP": WebPImagePlugin,
    "BMP": BmpImagePlugin,
    "GIF": GifImagePlugin,
    "TIFF": TiffImagePlugin,
}
MAX_PIXELS = 50_000_000  # the service's own bound, by default: what it refuses need not be learned
# All that Pillow raises on damaged bytes, found by sending it mutated files.
DAMAGED = (
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
    Image.DecompressionBombError,
)
_ORIENTATION = 0x0112  # EXIF 2.32: how the camera was held
_UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Decoder:
    """Decodes image files of any size into pixels of [height, width, channels]."""

    shape: tuple[int, int, int]
    rules: Preprocessing

    def __call__(self, content: bytes) -> Pixels:
        """Pixels of one file; of an animated one the first frame. Raises InvalidData, which does not name the file."""
        if not content:
            raise InvalidData("is empty")
        try:
            return self._prepare(_open(content))
        except DAMAGED as error:
            raise InvalidData(f"cannot be read as an image ({_first_line(error)})") from error

    def _prepare(self, image: Image.Image) -> Pixels:
        upright = _turn(image) if self.rules.exif_orientation else image
        height, width, channels = self.shape
        mode = "L" if channels == 1 else "RGB"
        if upright.size != (width, height) or upright.mode != mode or "transparency" in upright.info:
            upright = framed(coloured(upright, mode, self.rules.alpha), (width, height), self.rules)
        return np.frombuffer(upright.tobytes(), np.uint8).reshape(self.shape)


def _open(content: bytes) -> Image.Image:
    """The loaded image; its size is read from the header and checked before any pixel is decoded."""
    image = _opener(content)(io.BytesIO(content), "")
    width, height = _claimed_size(image)
    if width * height > MAX_PIXELS:
        raise InvalidData(f"has {width} × {height} pixels, more than the {MAX_PIXELS:,} that are decoded")
    image.load()
    if image.mode == "P":
        _settle_palette(image)
    return image


def _opener(content: bytes) -> Callable[[io.BytesIO, str], ImageFile]:
    """What `Image.open` would call, which has a pixel limit and warnings of its own."""
    for name in _PLUGINS:
        opener, accepts = Image.OPEN[name]
        if accepts is not None and accepts(content[:16]) is True:
            return opener
    raise InvalidData(f"is not an image of a kind that can be read ({', '.join(_PLUGINS)})")


def _claimed_size(image: ImageFile) -> tuple[int, int]:
    """Width and height that decoding takes memory for: a tile of a TIFF may be larger than its image."""
    width, height = image.size
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        width = max(width, image.tag_v2.get(TiffImagePlugin.TILEWIDTH, 0))
        height = max(height, image.tag_v2.get(TiffImagePlugin.TILELENGTH, 0))
    return width, height


def _settle_palette(image: Image.Image) -> None:
    """Move transparency into the palette; where it is of colours that the palette lacks, no pixel has it."""
    if image.palette is None:
        raise ValueError("a palette image without a palette")
    try:
        image.apply_transparency()
    except IndexError:
        del image.info["transparency"]


def _turn(image: Image.Image) -> Image.Image:
    how = _UPRIGHT.get(_orientation(image))
    if how is None:
        return image
    turned = image.transpose(how)
    turned.info = {name: value for name, value in image.info.items() if name == "transparency"}
    return turned


def _orientation(image: Image.Image) -> int:
    """1 (upright, or nothing said) to 8; Pillow finds it in any of three places."""
    if not image.info.keys() & {"exif", "xmp", "Raw profile type exif"}:
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except DAMAGED:
        return 1


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]

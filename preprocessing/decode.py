"""Decoding: the bytes of an image file become an image, or an error that says why not. Nothing else decodes."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH, TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from preprocessing.errors import (
    DECODER_ERRORS,
    DamagedImage,
    EmptyImage,
    ImageTooLarge,
    InvalidImage,
    TruncatedImage,
    UnknownFormat,
)

DEFAULT_MAX_PIXELS = 50_000_000  # a photograph has up to that; decoded as RGB it takes 150 MB


@dataclass(frozen=True)
class ImageFormat:
    """A file format that is read: its name in texts, Pillow's class for it, its media type and file extensions."""

    name: str
    plugin: type[ImageFile]  # importing it registers it, so that no request waits for Pillow to load its plugins
    media_type: str
    extensions: tuple[str, ...]


# The one table of image formats: what is recognized by its first bytes, and what texts, OpenAPI and the page list.
FORMATS = (
    ImageFormat("PNG", PngImageFile, "image/png", (".png",)),
    ImageFormat("JPEG", JpegImageFile, "image/jpeg", (".jpg", ".jpeg", ".jpe")),
    ImageFormat("WebP", WebPImageFile, "image/webp", (".webp",)),
    ImageFormat("BMP", BmpImageFile, "image/bmp", (".bmp",)),
    ImageFormat("GIF", GifImageFile, "image/gif", (".gif",)),
    ImageFormat("TIFF", TiffImageFile, "image/tiff", (".tif", ".tiff")),
)
FORMAT_NAMES = tuple(form.name for form in FORMATS)
EXTENSIONS = frozenset(extension for form in FORMATS for extension in form.extensions)

Opener = Callable[[io.BytesIO, str], ImageFile]

_OPENERS = tuple(Image.OPEN[str(form.plugin.format)] for form in FORMATS)


def decode(content: bytes, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """Decode a file's image, in whatever mode the file has; of an animated file the first frame.

    The size is read from the header and checked before any pixel is decoded. Raises ImageTooLarge for more than
    `max_pixels` pixels; EmptyImage, UnknownFormat, TruncatedImage or DamagedImage for bytes that are no image.
    """
    opener = _choose_opener(content)
    stream = io.BytesIO(content)
    try:
        return _load(opener(stream, ""), max_pixels)
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(f"the image claims more pixels than the limit of {max_pixels}") from error
    except DECODER_ERRORS as error:
        raise _diagnose(content, stream, error) from error


def is_image(content: bytes) -> bool:
    """Whether the content begins like a file of a format that can be read."""
    return _find_opener(content) is not None


def _choose_opener(content: bytes) -> Opener:
    opener = _find_opener(content)
    if opener is not None:
        return opener
    if not content:
        raise EmptyImage("the image is empty")
    raise UnknownFormat("this is not an image that can be read")


def _find_opener(content: bytes) -> Opener | None:
    """What `Image.open` would call, without its own pixel limit, which no request may set."""
    prefix = content[:16]
    for opener, accepts in _OPENERS:
        if accepts is not None and accepts(prefix) is True:
            return opener
    return None


def _load(image: ImageFile, max_pixels: int) -> Image.Image:
    width, height = _claimed_size(image)
    if width * height > max_pixels:
        size = f"{width} × {height} = {width * height} pixels"
        raise ImageTooLarge(f"the image has {size}, the limit is {max_pixels}")
    image.load()
    if image.mode == "P":
        _settle_palette(image)
    return image


def _settle_palette(image: ImageFile) -> None:
    """Move transparency into the palette; where it is of colors that the palette lacks, no pixel has it."""
    if image.palette is None:
        raise ValueError("a palette image without a palette")
    try:
        image.apply_transparency()
    except IndexError:
        del image.info["transparency"]


def _claimed_size(image: ImageFile) -> tuple[int, int]:
    """Width and height that decoding takes memory for: a TIFF of 1 × 1 may come in one tile of 12,000 × 12,000."""
    width, height = image.size
    if isinstance(image, TiffImageFile):
        tags = image.tag_v2
        width = max(width, tags.get(TILEWIDTH, 0))
        height = max(height, tags.get(TILELENGTH, 0))
    return width, height


def _diagnose(content: bytes, stream: io.BytesIO, error: BaseException) -> InvalidImage:
    if _ends_early(content, stream, error):
        return TruncatedImage(f"the image ends early, after {len(content)} bytes")
    return DamagedImage("the image is damaged and cannot be decoded")


def _ends_early(content: bytes, stream: io.BytesIO, error: BaseException) -> bool:
    """Whether the decoder asked for more than there was; WebP's takes all at once, but its header says how many."""
    if content.startswith(b"RIFF"):
        return len(content) < int.from_bytes(content[4:8], "little") + 8
    return "truncated" in str(error).lower() or stream.closed or stream.tell() >= len(content)

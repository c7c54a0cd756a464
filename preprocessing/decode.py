"""Bytes from a stranger become an image, or a sentence that says why not. The only place that decodes."""

import io
from collections.abc import Callable

from PIL import BmpImagePlugin, GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL.ImageFile import ImageFile

from preprocessing.errors import DECODER_ERRORS, ImageTooLarge, InvalidImage

# Importing a plugin registers it, so that a request never waits for Pillow to look for its plugins.
PLUGINS = {
    "PNG": PngImagePlugin,
    "JPEG": JpegImagePlugin,
    "WEBP": WebPImagePlugin,
    "BMP": BmpImagePlugin,
    "GIF": GifImagePlugin,
    "TIFF": TiffImagePlugin,
}
ACCEPTED = "PNG, JPEG, WebP, BMP, GIF and TIFF"

Opener = Callable[[io.BytesIO, str], ImageFile]


def decode(content: bytes, max_pixels: int) -> Image.Image:
    """The image in `content`, loaded, in whatever mode the file has; of an animated file the first frame.

    The size is read from the header and checked before any pixel is decoded. Raises ImageTooLarge for more than
    `max_pixels` pixels, InvalidImage for bytes that are empty, of another kind, incomplete or damaged.
    """
    opener = _opener(content)
    stream = io.BytesIO(content)
    try:
        return _load(opener(stream, ""), max_pixels)
    except Image.DecompressionBombError as error:
        sentence = f"the image claims more pixels than the limit of {max_pixels}: send a smaller one"
        raise ImageTooLarge(sentence) from error
    except DECODER_ERRORS as error:
        raise InvalidImage(_fault(content, stream, error)) from error


def is_image(content: bytes) -> bool:
    """Whether the content begins like a file of a format that can be read."""
    return _find_opener(content) is not None


def _opener(content: bytes) -> Opener:
    opener = _find_opener(content)
    if opener is not None:
        return opener
    if not content:
        raise InvalidImage("the image is empty: send the bytes of an image file")
    raise InvalidImage(f"this is not an image that can be read: send one of {ACCEPTED}")


def _find_opener(content: bytes) -> Opener | None:
    """What `Image.open` would call, without its own pixel limit, which no request may set."""
    prefix = content[:16]
    for name in PLUGINS:
        opener, accepts = Image.OPEN[name]
        if accepts is not None and accepts(prefix) is True:
            return opener
    return None


def _load(image: ImageFile, max_pixels: int) -> Image.Image:
    width, height = _claimed_size(image)
    if width * height > max_pixels:
        size = f"{width} × {height} = {width * height} pixels"
        raise ImageTooLarge(f"the image has {size}, the limit is {max_pixels}: send a smaller one")
    image.load()
    if image.mode == "P":
        _settle_palette(image)
    return image


def _settle_palette(image: ImageFile) -> None:
    """Move transparency into the palette; where it is of colours that the palette lacks, no pixel has it."""
    if image.palette is None:
        raise ValueError("a palette image without a palette")
    try:
        image.apply_transparency()
    except IndexError:
        del image.info["transparency"]


def _claimed_size(image: ImageFile) -> tuple[int, int]:
    """Width and height that decoding takes memory for: a TIFF of 1 × 1 may come in one tile of 12,000 × 12,000."""
    width, height = image.size
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        width = max(width, tags.get(TiffImagePlugin.TILEWIDTH, 0))
        height = max(height, tags.get(TiffImagePlugin.TILELENGTH, 0))
    return width, height


def _fault(content: bytes, stream: io.BytesIO, error: BaseException) -> str:
    if _ends_early(content, stream, error):
        return f"the image ends early, after {len(content)} bytes: send the whole file"
    return "the image is damaged and cannot be decoded: check that the file opens elsewhere, then send it unchanged"


def _ends_early(content: bytes, stream: io.BytesIO, error: BaseException) -> bool:
    """Whether the decoder asked for more than there was; WebP's takes all at once, but its header says how many."""
    if content.startswith(b"RIFF"):
        return len(content) < int.from_bytes(content[4:8], "little") + 8
    return "truncated" in str(error).lower() or stream.closed or stream.tell() >= len(content)

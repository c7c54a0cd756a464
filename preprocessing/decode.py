"""Decoding: the bytes of an image file become an image, or an error that says why not. Nothing else decodes."""

import ctypes
import io
import logging
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from PIL import AvifImagePlugin, Image, _imaging
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    TILELENGTH,
    TILEWIDTH,
    TiffImageFile,
)
from PIL.WebPImagePlugin import WebPImageFile

from preprocessing.diagnosis import diagnose
from preprocessing.errors import DECODER_ERRORS, EmptyImage, ImageTooLarge, UnknownFormat, UnsupportedVariant

DEFAULT_MAX_PIXELS = 50_000_000  # a photograph has up to that; decoded as RGB it takes 150 MB
ORIENTATION = 0x0112  # the tag, EXIF 2.32
PREFIX_BYTES = 64  # in which every format shows

AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # else one for each CPU and file, which a process under limits cannot start
# What is wrong with a file, the error says. What Pillow and libtiff remark beside it would only fill a log.
logging.getLogger("PIL").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", module=r"PIL\.")
with suppress(AttributeError, OSError):  # where libtiff is a part of Pillow's own library, it has no such name
    ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


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
    ImageFormat("AVIF", AvifImageFile, "image/avif", (".avif",)),
)
FORMAT_NAMES = tuple(form.name for form in FORMATS)


@dataclass(frozen=True)
class OtherFormat:
    """A file format that people send and that is not read: its name with an article, how it begins, what to do."""

    name: str
    signature: bytes  # a regular expression
    hint: str = ""
    extensions: tuple[str, ...] = ()  # of images alone


_IPHONE = "on an iPhone choose Settings → Camera → Formats → Most Compatible, or export it as JPEG"
_MARKUP = rb"(?i:(?:\xef\xbb\xbf)?\s*"  # a byte order mark and blanks may come before it
OTHER_FORMATS = (
    OtherFormat(
        "a HEIC photograph",
        rb".{4}ftyp(?:.{4}){0,12}?(?:hei[cmsx]|hev[cmsx]|mif1|msf1)",
        _IPHONE,
        (".heic", ".heif", ".hif"),
    ),
    OtherFormat(
        "a camera's raw photograph",
        rb".{4}ftypcrx |FUJIFILMCCD-RAW|II(?:RO|RS|U\0)",
        extensions=(".cr2", ".cr3", ".orf", ".raf", ".rw2"),
    ),
    OtherFormat("a video", rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI |\0\0\x01[\xb3\xba]"),
    OtherFormat("a PDF document", rb"\s*%PDF-", "export the page as PNG"),
    OtherFormat(
        "an SVG drawing", _MARKUP + rb"<(?:svg|(?:\?xml|!--|!doctype svg)[^\0]*?<svg)[\s>])", "export it as PNG"
    ),
    OtherFormat("a web page", _MARKUP + rb"<(?:!doctype html|html|head|body)[\s>])", "send the image that it shows"),
    OtherFormat("an XML document", _MARKUP + rb"<\?xml\s)"),
    OtherFormat("a JPEG 2000 file", rb"\0\0\0\x0cjP  \r\n|\xff\x4f\xff\x51", extensions=(".jp2", ".j2k", ".jpf")),
    OtherFormat("a JPEG XL file", rb"\xff\x0a|\0\0\0\x0cJXL \r\n", extensions=(".jxl",)),
    OtherFormat("a JPEG XR file", rb"II\xbc"),
    OtherFormat("a Photoshop file", rb"8BPS", extensions=(".psd",)),
    OtherFormat("a GIMP file", rb"gimp xcf"),
    OtherFormat("an icon (ICO or CUR file)", rb"\0\0[\x01\x02]\0[^\0]\0"),
    OtherFormat("an icon (ICNS file)", rb"icns"),
    OtherFormat(
        "a Netpbm file (PBM, PGM, PPM, PAM or PFM)", rb"P[1-7Ff]\s", extensions=(".pbm", ".pgm", ".ppm", ".pnm")
    ),
    OtherFormat("an OpenEXR file", rb"v/1\x01"),
    OtherFormat("a Radiance HDR file", rb"#\?(?:RADIANCE|RGBE)"),
    OtherFormat("a DDS texture", rb"DDS "),
    OtherFormat("a QOI file", rb"qoif", extensions=(".qoi",)),
    OtherFormat("a PCX file", rb"\x0a[\0-\x05]\x01[\x01\x02\x04\x08]"),
    OtherFormat("an MNG or JNG file", rb"\x8aMNG\r\n|\x8bJNG\r\n"),
    OtherFormat("a DjVu document", rb"AT&TFORM"),
    OtherFormat("a PostScript document", rb"%!PS|\xc5\xd0\xd3\xc6", "export the page as PNG"),
    OtherFormat("a Windows metafile", rb"\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF"),
    OtherFormat("a DICOM file", rb".{128}DICM"),
    OtherFormat("a FITS file", rb"SIMPLE  ="),
    OtherFormat("a NumPy array", rb"\x93NUMPY", "send it as application/x-npy"),
    OtherFormat("a ZIP archive or an Office document", rb"PK[\x03\x05]|\xd0\xcf\x11\xe0"),
    OtherFormat("a compressed archive", rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh\d1AY|\xfd7zXZ|.{257}ustar"),
)
# What a file is called that is meant to be an image, so that its failure is worth a word.
IMAGE_EXTENSIONS = frozenset(suffix for form in (*FORMATS, *OTHER_FORMATS) for suffix in form.extensions)
_SIGNATURE_BYTES = 1024
_AVIF = re.compile(rb".{4}ftyp(?:avi[fs]|.{8}(?:.{4}){0,11}?avi[fs])", re.DOTALL)  # ISO/IEC 14496-12: the brands

Opener = Callable[[io.BytesIO, str], ImageFile]

_OPENERS = tuple(Image.OPEN[str(form.plugin.format)] for form in FORMATS)


def decode(content: bytes, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """Decode a file's image, in whatever mode the file has; of an animated file the first frame.

    The size is read from the header and checked before any pixel is decoded. Raises ImageTooLarge for more than
    `max_pixels` pixels; EmptyImage, UnknownFormat, UnsupportedVariant, TruncatedImage or DamagedImage for bytes of
    which no image can be made; MemoryError.
    """
    opener = _choose_opener(content)
    stream = io.BytesIO(content)
    try:
        return _load(opener(stream, ""), max_pixels)
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(f"the image claims more pixels than the limit of {max_pixels}") from error
    except DECODER_ERRORS as error:
        if "out of memory" in str(error).lower():  # AVIF's decoder says it in words
            raise MemoryError from error
        raise diagnose(content, stream, error) from error


def is_image(content: bytes) -> bool:
    """Whether the content begins like a file of a format that can be read."""
    return _find_opener(content) is not None


def find_other_format(content: bytes) -> OtherFormat | None:
    """The format that is not read whose files begin like this one; None if it is not known."""
    prefix = content[:_SIGNATURE_BYTES]
    return next((other for other in OTHER_FORMATS if re.match(other.signature, prefix, re.DOTALL)), None)


def _choose_opener(content: bytes) -> Opener:
    opener = _find_opener(content)
    if opener is not None:
        return opener
    if not content:
        raise EmptyImage("the image is empty")
    other = find_other_format(content)
    if other is None:
        raise UnknownFormat("this is not an image that can be read")
    raise UnknownFormat(f"this is {other.name}, which is not read{other.hint and f' ({other.hint})'}")


def _find_opener(content: bytes) -> Opener | None:
    """What `Image.open` would call, without its own pixel limit, which no request may set."""
    prefix = content[:PREFIX_BYTES]
    if prefix[4:8] == b"ftyp" and not _AVIF.match(prefix):
        return None  # HEIC, of which Pillow would try some as AVIF
    for opener, accepts in _OPENERS:
        if accepts is not None and accepts(prefix) is True:
            return opener
    return None


def _load(image: ImageFile, max_pixels: int) -> Image.Image:
    width, height = _claimed_size(image)
    if width * height > max_pixels:
        size = f"{width} × {height} = {width * height} pixels"
        raise ImageTooLarge(f"the image has {size}, the limit is {max_pixels}")
    if isinstance(image, TiffImageFile):
        return _load_tiff(image)
    image.load()
    if image.mode == "P":
        _settle_palette(image)
    return _clear_around_frame(image) if isinstance(image, GifImageFile) else image


def _settle_palette(image: ImageFile) -> None:
    """Move transparency into the palette; where it is of colors that the palette lacks, no pixel has it."""
    if image.palette is None:
        raise ValueError("a palette image without a palette")
    try:
        image.apply_transparency()
    except IndexError:
        del image.info["transparency"]


def _clear_around_frame(image: GifImageFile) -> Image.Image:
    """Make transparent what the first frame leaves of the canvas, as browsers do (GIF 89a, appendix B)."""
    frame = image.dispose_extent
    if frame is None or frame == (0, 0, *image.size):
        return image
    canvas = Image.new("RGBA", image.size)
    canvas.paste(image.crop(frame).convert("RGBA"), frame)
    return canvas


def _load_tiff(image: TiffImageFile) -> Image.Image:
    """Decode as stored: Pillow would turn the image by its orientation, which is left for the contract."""
    _check_variant(image)
    orientation = image.getexif().pop(ORIENTATION, 1)
    image.load()
    if image.mode == "P":
        _settle_palette(image)
    stored = _correct_levels(image) if image.mode == "I;16" else image
    if orientation != 1:
        stored = stored.copy()  # which has the size as stored
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        stored.info["exif"] = exif.tobytes()
    return stored


def _check_variant(image: TiffImageFile) -> None:
    """Raise UnsupportedVariant where Pillow would decode other colors than there are, or say no more than "error"."""
    if image.info.get("compression") == "webp":  # which its libtiff lacks
        raise UnsupportedVariant("TIFF of this compression is not supported")
    is_planar, bits = image.tag_v2.get(PLANAR_CONFIGURATION) == 2, image.tag_v2.get(BITSPERSAMPLE, (1,))
    if is_planar and (image.mode == "LAB" or (max(bits) > 8 and image.info.get("compression") == "raw")):
        raise UnsupportedVariant("TIFF with planes of this kind is not supported")


def _correct_levels(image: TiffImageFile) -> Image.Image:
    """16 bits with black as 0; Pillow leaves 12 bits in the lower ones, and white as 0 where the file has it so."""
    levels = np.asarray(image)
    if image.tag_v2.get(BITSPERSAMPLE) == (12,):
        levels = levels << 4
    if image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0:
        levels = ~levels
    corrected = Image.fromarray(levels)
    corrected.info = dict(image.info)
    return corrected


def _claimed_size(image: ImageFile) -> tuple[int, int]:
    """Width and height that decoding takes memory for: a TIFF of 1 × 1 may come in one tile of 12,000 × 12,000."""
    width, height = image.size
    if isinstance(image, TiffImageFile):
        tags = image.tag_v2
        width = max(width, tags.get(TILEWIDTH, 0))
        height = max(height, tags.get(TILELENGTH, 0))
    return width, height

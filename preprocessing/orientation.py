"""Orientation: images that a camera stored turned are brought upright, by their EXIF data."""

from PIL import Image
from PIL.Image import Transpose

from preprocessing.errors import DECODER_ERRORS

ORIENTATION = 0x0112  # the tag, EXIF 2.32
CORRECTIONS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def read_orientation(image: Image.Image) -> int:
    """The orientation as EXIF numbers it, 1 to 8; 1 (upright) where none is given or the data cannot be read."""
    if not image.info.keys() & {"exif", "xmp", "Raw profile type exif"}:
        return 1
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except DECODER_ERRORS:
        return 1
    return value if value in range(1, 9) else 1


def orient(image: Image.Image) -> tuple[Image.Image, str]:
    """Bring an image upright; returns the image and the step's name, "" if it was upright."""
    correction = CORRECTIONS.get(read_orientation(image))
    if correction is None:
        return image, ""
    upright = image.transpose(correction)
    upright.info = {name: value for name, value in image.info.items() if name == "transparency"}
    return upright, "rotated"

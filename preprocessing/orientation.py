"""Images brought upright, as the EXIF orientation that a camera wrote says."""

from PIL import Image
from PIL.Image import Transpose

from preprocessing.errors import DECODER_ERRORS

ORIENTATION = 0x0112  # the EXIF tag


def orientation(image: Image.Image) -> int:
    """How the camera was held: 1 (upright, or nothing said) to 8, as EXIF numbers it."""
    if not image.info.keys() & {"exif", "xmp", "Raw profile type exif"}:
        return 1
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except DECODER_ERRORS:
        return 1
    return value if value in range(1, 9) else 1


# EXIF 2.32, tag 0x0112: what brings each orientation upright.
UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def upright(image: Image.Image) -> tuple[Image.Image, str]:
    """The image as the camera saw it, and the word for what was done: "rotated", or nothing."""
    how = UPRIGHT.get(orientation(image))
    if how is None:
        return image, ""
    turned = image.transpose(how)
    turned.info = {name: value for name, value in image.info.items() if name == "transparency"}
    return turned, "rotated"

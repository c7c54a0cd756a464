"""Pictures inside JSON: base64 text or a data URL (RFC 2397)."""

import base64
import binascii
from collections.abc import Iterable

from service.errors import InvalidImage
from service.inputs import EncodedImage, EncodedImages


def read_base64(text: object, name: str) -> EncodedImage:
    """The picture that a JSON string holds; raises InvalidImage, which says what was expected."""
    if not isinstance(text, str):
        raise InvalidImage(f"{name} must be a text of base64 or a data URL")
    try:
        return EncodedImage(base64.b64decode(_payload(text, name).translate(_NO_SPACE), validate=True), name)
    except (binascii.Error, ValueError) as error:
        raise InvalidImage(f"{name} is not valid base64: encode the image file's bytes (RFC 4648)") from error


def read_base64_images(texts: Iterable[object]) -> EncodedImages:
    """The pictures that JSON strings hold, called image 1, image 2 …; raises the same."""
    return EncodedImages(tuple(read_base64(text, f"image {number}") for number, text in enumerate(texts, start=1)))


_NO_SPACE = {ord(space): None for space in " \r\n\t"}  # MIME encoders break their lines


def _payload(text: str, name: str) -> str:
    if not text.startswith("data:"):
        return text
    head, comma, payload = text.partition(",")
    if not comma or not head.endswith(";base64"):
        raise InvalidImage(f"{name} is a data URL without base64: write data:image/png;base64,…")
    return payload

"""Bodies that are text and no JSON: base64 or a data URL alone, and the text fields of HTML forms."""

import base64
import re
from urllib.parse import unquote_plus, unquote_to_bytes

from preprocessing.decode import is_image
from service.codecs.base64_images import MAX_HEAD, read_base64, unescape
from service.codecs.inputs import EncodedImage, EncodedImages
from service.codecs.limits import MAX_FORM_FIELDS, Limits
from service.codecs.parameters import PARAMETERS, Parameters, check_names
from service.errors import InvalidRequest, TooLarge

IMAGE_FIELDS = ("image", "images")  # the text fields of a form that may hold one; jQuery writes lists as images[]
MAX_VALUE = 1024  # characters that are read of a name and of a parameter
_LONG_TEXT = 60  # characters of base64 at the beginning, from which on it is no word
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{8,}={0,2}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_FORM = re.compile(rb"(?:images?(?:\[\]|%5B%5D)?|model|version|top_k)=|[A-Za-z_][\w.%\[\]+-]{0,63}=[^=\s]")


def looks_like_base64(content: bytes) -> bool:
    """Whether the body begins like base64 of an image or like a data URL, be they well written or not."""
    head = content[:MAX_HEAD].lstrip()
    if b"base64," in head or head[:5].lower() == b"data:":
        return True
    start = unquote_to_bytes(head[:64]) if b"%" in head[:64] else head[:64]
    start = start.removeprefix(b"b'").removeprefix(b'b"').translate(_URL_SAFE, b"\r\n")
    if not _BASE64.fullmatch(start):
        return False
    return len(start) >= _LONG_TEXT or is_image(base64.b64decode(start[: len(start) // 4 * 4]))


def read_base64_inputs(content: bytes, _limits: Limits, _pixels: int, _parameters: Parameters) -> EncodedImages:
    """The image in a body that is nothing but its base64 or data URL; raises InvalidImage."""
    return EncodedImages((read_base64(content.decode("latin-1").strip(), "the body"),))


def looks_like_form(content: bytes) -> bool:
    """Whether the body begins with a name and an equals sign, as a form does that is sent as text."""
    return _FORM.match(content) is not None


def read_form_inputs(content: bytes, _limits: Limits, _pixels: int, parameters: Parameters) -> EncodedImages:
    """The images in the fields of a form (application/x-www-form-urlencoded).

    A + in base64 may stand there as it is. Raises InvalidRequest, InvalidImage or TooLarge.
    """
    images: list[EncodedImage] = []
    fields = content.decode("latin-1").split("&", MAX_FORM_FIELDS)
    if len(fields) > MAX_FORM_FIELDS:
        raise TooLarge(f"the form has more than {MAX_FORM_FIELDS} fields: send fewer images at a time")
    for field in fields:
        raw_name, _, value = field.partition("=")
        name = unquote_plus(raw_name[:MAX_VALUE])
        is_base64 = name.removesuffix("[]") in IMAGE_FIELDS
        if field:
            read_field(name, unescape(value) if is_base64 else unquote_plus(value[:MAX_VALUE]), images, parameters)
    if not images:
        raise InvalidRequest('the form has no image: send base64 or a data URL in the field "image"')
    return EncodedImages(tuple(images))


def read_field(name: str, value: str, images: list[EncodedImage], parameters: Parameters) -> None:
    """Add what a text field says to the images or parameters; an empty field says nothing.

    Raises InvalidRequest for a field of another name, InvalidImage for one without an image.
    """
    name = name.removesuffix("[]")
    check_names([name], (*IMAGE_FIELDS, *PARAMETERS), "form field")
    if not value.strip():
        return
    if name in PARAMETERS:
        parameters.add(name, value.strip(), "the form")
    else:
        images.append(read_base64(value, f"image {len(images) + 1}"))

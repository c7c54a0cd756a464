"""Image files as text: base64 (RFC 4648) or a data URL (RFC 2397), read in every spelling that is unambiguous.

The usual spelling is decoded at once. What cannot be decoded so is looked at again, and read or named for what it is.
"""

import base64
import binascii
import re
from collections.abc import Iterable

from service.codecs.inputs import EncodedImage, EncodedImages
from service.errors import InvalidImage

MAX_HEAD = 256  # characters before the payload of a data URL
MAX_REFERENCE = 2048  # characters of a URL or of a file's name
MAX_SAMPLE = 4096  # characters that show whether spaces are as regular as line breaks

_SPACES = " \r\n\t"
_STANDARD = str.maketrans("-_", "+/")  # from the alphabet for URLs
_HEAD = re.compile(r"(?:data:)?[\w.+/-]*(?:;[\w.+/=\"-]+)*?;?base64,", re.IGNORECASE)  # some clients cut "data:" off
_ESCAPES = {"2B": "+", "2F": "/", "3D": "=", "3A": ":", "3B": ";", "2C": ",", "0D": "\r", "0A": "\n", "20": " "}
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]+://|blob:|www\.)\S", re.IGNORECASE)
_FILE_NAME = re.compile(r"[^\r\n\0<>|\"{}=,;]*\w\.[a-z]{3,4}", re.IGNORECASE)  # it ends like one
_ENCODED_TEXT = ("data:", "iVBORw0KGgo", "/9j/", "UklGR", "R0lGOD")  # how a data URL or base64 of an image begins
_HEXADECIMAL = ("89504e47", "ffd8ffe0", "ffd8ffe1", "47494638", "52494646")  # PNG, JPEG, GIF and WebP
_ADVICE = "encode the image file's bytes (RFC 4648)"


def read_base64(text: object, name: str) -> EncodedImage:
    """The image file in a text; raises InvalidImage."""
    if not isinstance(text, str):
        raise InvalidImage(f"{name} must be a text of base64 or a data URL{_hint(text)}")
    payload = _payload(text, name)
    try:
        content = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        content = _read_unusual(payload, name)
    if content[:16].decode("latin-1").startswith(_ENCODED_TEXT):
        raise InvalidImage(f"{name} is base64 of base64: encode the image file's bytes once")
    if text[:8].lower() in _HEXADECIMAL:
        raise InvalidImage(f"{name} is hexadecimal, not base64: {_ADVICE}")
    return EncodedImage(content, name)


def read_base64_images(texts: Iterable[object]) -> EncodedImages:
    """The image files in texts, called image 1, image 2 …; raises InvalidImage."""
    return EncodedImages(tuple(read_base64(text, f"image {number}") for number, text in enumerate(texts, start=1)))


def unescape(text: str) -> str:
    """The text without the percent-escapes of base64; one function for all takes 15 times the memory of the text."""
    if "%" not in text:
        return text
    for code, character in _ESCAPES.items():
        text = text.replace(f"%{code}", character).replace(f"%{code.lower()}", character)
    return text.replace("%25", "%")  # last, so that what was escaped twice still has escapes


def describe_reference(text: str) -> str | None:
    """What a text is that only says where an image is: a URL or the name of a file; None where it is neither."""
    if len(text) > MAX_REFERENCE:
        return None
    if _URL.match(text.strip()):
        return "a URL, and the service fetches nothing"
    return "the name of a file, not the file" if _FILE_NAME.fullmatch(text.strip()) else None


def _payload(text: str, name: str) -> str:
    """The base64 in a data URL, which may have percent-escapes; any other text as it is."""
    if text[:5].lower() not in ("data:", "image", "base6"):
        return text
    head = _HEAD.match(text[:MAX_HEAD])
    if head:
        payload = text[head.end() :]
        return unescape(payload)
    if text[:5].lower() == "data:":
        raise InvalidImage(f"{name} is a data URL without base64: write data:image/png;base64,…")
    return text


def _read_unusual(text: str, name: str) -> bytes:
    """Base64 with spaces, in the alphabet for URLs or without padding; raises InvalidImage that says what it is."""
    if not text.isascii():  # not copied any more: such a text takes up to four bytes a character
        raise InvalidImage(f"{name} is {_describe(text, '')}")
    plain = _without_spaces(text).translate(_STANDARD).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidImage(f"{name} is {_describe(text.strip(), plain)}") from error


def _without_spaces(text: str) -> str:
    """The text without what breaks its lines; where spaces stand for the + that a form lost, they are + again."""
    if "\\" in text:  # of JSON that was written twice
        text = text.replace("\\/", "/").replace("\\r", "").replace("\\n", "")
    stripped = text.strip(_SPACES)
    joined = stripped
    for space in _SPACES:  # MIME encoders break their lines
        joined = joined.replace(space, "")
    spaces = stripped.count(" ")
    if not spaces or "+" in stripped or len(joined) + spaces != len(stripped):
        return joined
    *lines, _ = stripped[:MAX_SAMPLE].split(" ")
    fills_up = len(stripped) % 4 == 0 and len(joined) % 4 != 0
    return stripped.replace(" ", "+") if fills_up or len(set(map(len, lines))) > 1 else joined


def _describe(text: str, plain: str) -> str:
    """What a text is that is no base64, and what to do."""
    reference = describe_reference(text)
    if reference:
        return f"{reference}: send the image file's bytes as base64"
    if text.startswith(("b'", 'b"')):
        return "b'…', as Python prints bytes: write base64.b64encode(content).decode()"
    if text.startswith(("'", '"')):
        return "base64 with quotes in the text: leave them out"
    if re.search("%(?:2B|2F|3D)", text, re.IGNORECASE):
        return "percent-encoded (%2B, %2F, %3D): send the base64 as it is"
    if len(plain) % 4 == 1 and re.fullmatch("[A-Za-z0-9+/]+", plain):
        return f"not valid base64, which never has {len(plain)} characters: it may be cut short, so send all of it"
    return f"not valid base64: {_ADVICE}"


def _hint(value: object) -> str:
    """What to send instead of another JSON value that clients send for bytes."""
    if isinstance(value, dict):
        is_buffer = value.get("type") == "Buffer"
        return ": write buffer.toString('base64')" if is_buffer else ", not an object: JSON has no files or bytes"
    if isinstance(value, list):
        is_flat = bool(value) and isinstance(value[0], int)
        return ', not a list of bytes: encode them; pixels are "instances"' if is_flat else ': pixels are "instances"'
    return ""

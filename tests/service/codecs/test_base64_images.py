"""Pictures inside JSON: base64 as RFC 4648 has it, or a data URL."""

import base64
from urllib.parse import quote

import pytest

from service.codecs.base64_images import read_base64
from service.errors import InvalidImage

CONTENT = bytes(range(256))
TEXT = base64.b64encode(CONTENT).decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TEXT, id="plain"),
        pytest.param(f"data:image/png;base64,{TEXT}", id="data URL"),
        pytest.param(f"data:;base64,{TEXT}", id="data URL without a type"),
        pytest.param(base64.encodebytes(CONTENT).decode(), id="in lines"),
        pytest.param(TEXT.replace("A", "A \r\n\t"), id="with spaces"),
        pytest.param(" ".join(base64.encodebytes(CONTENT).decode().split()), id="in lines with spaces between"),
        pytest.param(TEXT.rstrip("="), id="unpadded"),
        pytest.param(TEXT.removesuffix("="), id="half padded"),
        pytest.param(base64.urlsafe_b64encode(CONTENT).decode(), id="for URLs"),
        pytest.param(base64.urlsafe_b64encode(CONTENT).decode().rstrip("="), id="for URLs, unpadded"),
        pytest.param(TEXT.replace("+", " "), id="with spaces for +"),
        pytest.param(TEXT.replace("/", r"\/").replace("Q", r"Q\n"), id="with the escapes of a second JSON"),
        pytest.param(f"data:image/png;charset=utf-8;base64,{TEXT}", id="data URL with a parameter"),
        pytest.param(f"DATA:IMAGE/PNG;BASE64,{TEXT}", id="data URL in capitals"),
        pytest.param(f"data:image/png;base64,{quote(TEXT, safe='')}", id="data URL with percent-escapes"),
        pytest.param(f"image/png;base64,{TEXT}", id="data URL without its beginning"),
        pytest.param(f"base64,{TEXT}", id="the end of a data URL"),
    ],
)
def test_every_form_gives_the_same_bytes(text: str) -> None:
    image = read_base64(text, "image 1")

    assert (image.content, image.name) == (CONTENT, "image 1")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("!!!!", "image 2 is not valid base64: encode the image file's bytes"),
        ("ÄÖÜ=", "image 2 is not valid base64"),
        (TEXT[:-3], "never has 341 characters: it may be cut short"),
        (repr(TEXT.encode()), r"image 2 is b'…', as Python prints bytes: write .*\.decode\(\)"),
        (repr(TEXT), "image 2 is base64 with quotes in the text"),
        (quote(TEXT, safe=""), r"image 2 is percent-encoded \(%2B, %2F, %3D\)"),
        ("https://example.org/digit.png", "image 2 is a URL, and the service fetches nothing"),
        ("blob:https://example.org/5a0c", "image 2 is a URL"),
        ("file:///home/me/digit.png", "image 2 is a URL"),
        (r"C:\Users\me\digit 1.jpg", "image 2 is the name of a file, not the file"),
        ("../photos/IMG_2041.HEIC", "image 2 is the name of a file"),
        (base64.b64encode(base64.b64encode(b"\x89PNG\r\n\x1a\n" + CONTENT)).decode(), "image 2 is base64 of base64"),
        (base64.b64encode(f"data:image/png;base64,{TEXT}".encode()).decode(), "image 2 is base64 of base64"),
        (b"\x89PNG\r\n\x1a\n".hex() * 4, "image 2 is hexadecimal, not base64"),
        ({"type": "Buffer", "data": [137, 80]}, r"image 2 must be a text .*: write buffer\.toString\('base64'\)"),
        ({"0": 137, "1": 80}, "image 2 must be a text .*, not an object"),
        ([137, 80, 78, 71], "image 2 must be a text .*, not a list of bytes: encode them"),
        ([[0, 255]], 'image 2 must be a text .*: pixels are "instances"'),
        ("data:image/png,abc", "image 2 is a data URL without base64"),
        ("data:image/png;base64", "image 2 is a data URL without base64"),
        (None, "image 2 must be a text"),
        (7, "image 2 must be a text"),
        ([TEXT], "image 2 must be a text"),
    ],
)
def test_anything_else_is_rejected_by_its_name(value: object, sentence: str) -> None:
    with pytest.raises(InvalidImage, match=sentence):
        read_base64(value, "image 2")

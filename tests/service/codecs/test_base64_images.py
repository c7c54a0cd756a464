"""Pictures inside JSON: base64 as RFC 4648 has it, or a data URL."""

import base64

import pytest

from service.codecs.json_bodies import read_base64
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
    ],
)
def test_every_form_gives_the_same_bytes(text: str) -> None:
    image = read_base64(text, "image 1")

    assert (image.content, image.name) == (CONTENT, "image 1")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (TEXT[:-1], "image 2 is not valid base64"),
        ("!!!!", "image 2 is not valid base64"),
        ("ÄÖÜ=", "image 2 is not valid base64"),
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

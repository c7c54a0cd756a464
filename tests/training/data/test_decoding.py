import io

import numpy as np
import pytest
from PIL import Image

from modelrepo.metadata import InputSpec, Preprocessing
from preprocessing.decode import decode
from preprocessing.pipeline import prepare
from tests.support.images.unusual_files import FORMATS, STORED, file_of, gradient, palette_png, photograph, truncated
from training.data.decoding import MAX_PIXELS, Decoder
from training.errors import InvalidData

SHAPE = (20, 24, 3)


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return file_of(STORED[orientation](photograph()), "JPEG", exif=exif)


FILES = {
    **{f"format {kind}": file_of(photograph(), kind) for kind in FORMATS},
    **{f"orientation {number}": turned(number) for number in STORED},
    "gray": file_of(gradient()),
    "16 bits": file_of(gradient().astype(np.uint16) * 257),
    "floats": file_of(Image.fromarray(gradient().astype(np.float32) / 255), "TIFF"),
    "transparent": file_of(np.dstack([photograph(), gradient(48, 64)])),
    "palette": palette_png(gradient(), 3),
    "CMYK": file_of(Image.fromarray(photograph()).convert("CMYK"), "JPEG"),
    "exact size": file_of(photograph(20, 24)),
    "very wide": file_of(photograph(10, 900)),
    "very large": file_of(photograph(600, 500)),
}


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("name", FILES)
def test_a_network_learns_from_exactly_what_the_service_will_show_it(name: str, fit: str) -> None:
    rules = Preprocessing("rgb", fit, "bicubic", "white", exif_orientation=True, ink=False)
    served = prepare(decode(FILES[name], MAX_PIXELS), InputSpec("image", "uint8", "NHWC", None, *SHAPE), rules)

    assert np.array_equal(Decoder(SHAPE, rules)(FILES[name]), served.pixels)


def test_a_gray_network_gets_gray(rules: Preprocessing) -> None:
    pixels = Decoder((20, 24, 1), rules)(FILES["format PNG"])

    assert pixels.shape == (20, 24, 1)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"not an image at all", "is not an image of a kind that can be read", id="text"),
        pytest.param(truncated(FILES["format JPEG"]), "truncated", id="cut JPEG"),
        pytest.param(truncated(FILES["format PNG"]), "cannot be read as an image", id="cut PNG"),
    ],
)
def test_what_is_no_whole_image_is_refused_with_the_reason(content: bytes, why: str, rules: Preprocessing) -> None:
    with pytest.raises(InvalidData, match=why):
        Decoder(SHAPE, rules)(content)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(rules: Preprocessing) -> None:
    buffer = io.BytesIO()
    Image.new("1", (8000, 8000)).save(buffer, "PNG")

    with pytest.raises(InvalidData, match="more than the 50,000,000 that are decoded"):
        Decoder(SHAPE, rules)(buffer.getvalue())


@pytest.fixture
def rules() -> Preprocessing:
    return Preprocessing("rgb", "crop", "bicubic", "white", exif_orientation=True, ink=False)

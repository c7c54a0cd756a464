"""The golden images of a bundle, classified anew."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelrepo.errors import CorruptBundle
from modelrepo.golden import GoldenImage, GoldenSet
from modelrepo.reader import read_bundle
from preprocessing.png import encode_png
from tests.support.bundles.tiny import publish_tiny
from tests.support.images.drawn import tiny_image
from tests.support.images.unusual_files import file_of
from training.evaluation.onnx_inference import open_bundle
from training.evaluation.verify import replay_bundle

GRAY = Image.fromarray(tiny_image(0)[..., 0])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(
            encode_png(tiny_image(0, 3)), r"00\.png has not the size and color mode .*\(grayscale\)", id="colors"
        ),
        pytest.param(file_of(GRAY.resize((16, 16))), r"\(resized\)", id="another size"),
        pytest.param(file_of(GRAY.resize((4, 16))), r"\(stretched\)", id="another shape of as many pixels"),
        pytest.param(file_of(GRAY.convert("P")), r"\(grayscale\)", id="palette"),
        pytest.param(file_of(np.asarray(GRAY).astype(np.uint16) * 257), r"\(scaled to 8 bits\)", id="16 bits"),
        pytest.param(encode_png(tiny_image(0))[:-20], r"golden image 00\.png: the image ends early", id="cut off"),
    ],
)
def test_a_golden_image_that_would_have_to_be_converted_is_refused(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    golden = GoldenSet(1.0, (GoldenImage("00.png", content, (1.0, 0.0, 0.0)),))
    bundle = read_bundle(publish_tiny(tmp_path, "tiny", golden=golden))

    with pytest.raises(CorruptBundle, match=sentence):
        replay_bundle(bundle, open_bundle(bundle))

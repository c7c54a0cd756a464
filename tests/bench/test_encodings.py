"""Every encoding against the application: they must hold the same pictures, or their figures do not compare."""

from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bench.encodings import Picture, list_encodings
from tests.support.batches import answers, batch, files
from tests.support.bundles import LABELS

ENCODINGS = list_encodings("mnist", "image", "image/png")
BINARY = "Inference-Header-Content-Length"


def _pictures(size: int) -> list[Picture]:
    return [Picture(content, pixels) for content, pixels in zip(files(size), batch(size), strict=True)]


def _read(answer: TestResponse) -> Any:
    """The probabilities in an answer of any dialect: [images, labels]."""
    if BINARY in answer.headers:
        return np.frombuffer(answer.data[int(answer.headers[BINARY]) :], "<f4").reshape(-1, len(LABELS))
    document = answer.get_json()
    if "outputs" in document:
        return np.reshape(document["outputs"][0]["data"], document["outputs"][0]["shape"])
    return [_by_index(each) for each in document["predictions"]]


def _by_index(prediction: Any) -> list[float]:
    if isinstance(prediction, list):
        return prediction
    return [each["probability"] for each in sorted(prediction["top_k"], key=lambda each: int(each["index"]))]


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_service_sees_the_same_pictures(encoding: str, images: int, client: FlaskClient) -> None:
    request = ENCODINGS[encoding](_pictures(images))

    answer = client.post(
        request.path, data=request.body, content_type=request.content_type, headers=dict(request.headers)
    )

    assert answer.status_code == 200
    assert _read(answer) == pytest.approx(answers(images), abs=1e-5)


def test_one_file_goes_as_it_is_and_several_as_a_form() -> None:
    encode = ENCODINGS["native image files"]

    assert encode(_pictures(1)).body == files(1)[0]
    assert encode(_pictures(2)).content_type.startswith("multipart/form-data")


def test_binary_pixels_are_as_long_as_they_must_be() -> None:
    lengths = []
    for encoding in ("v2 UINT8", "v2 FP32"):
        request = ENCODINGS[encoding](_pictures(3))
        lengths.append(len(request.body) - int(dict(request.headers)[BINARY]))

    assert lengths == [3 * 64, 3 * 64 * 4]

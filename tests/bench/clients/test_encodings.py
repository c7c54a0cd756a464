"""Every encoding against the application: all must hold the same images, else their figures cannot be compared."""

from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bench.clients.encodings import Sample, list_encodings
from tests.support.bundles.tiny import LABELS
from tests.support.bundles.tiny_batches import batch, batch_files, expected_probabilities

ENCODINGS = list_encodings("mnist", "image", "image/png")
BINARY = "Inference-Header-Content-Length"


def _samples(size: int) -> list[Sample]:
    return [Sample(content, pixels) for content, pixels in zip(batch_files(size), batch(size), strict=True)]


def _read(response: TestResponse) -> Any:
    """The probabilities in a response of any protocol: [images, labels]."""
    if BINARY in response.headers:
        return np.frombuffer(response.data[int(response.headers[BINARY]) :], "<f4").reshape(-1, len(LABELS))
    document = response.get_json()
    if "outputs" in document:
        return np.reshape(document["outputs"][0]["data"], document["outputs"][0]["shape"])
    return [_by_index(each) for each in document["predictions"]]


def _by_index(prediction: Any) -> list[float]:
    if isinstance(prediction, list):
        return prediction
    return [each["probability"] for each in sorted(prediction["top_k"], key=lambda each: int(each["index"]))]


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_service_reads_the_same_images(encoding: str, images: int, client: FlaskClient) -> None:
    request = ENCODINGS[encoding](_samples(images))

    response = client.post(
        request.path, data=request.body, content_type=request.content_type, headers=dict(request.headers)
    )

    assert response.status_code == 200
    assert _read(response) == pytest.approx(expected_probabilities(images), abs=1e-5)


def test_one_file_is_the_body_and_several_are_a_form() -> None:
    encode = ENCODINGS["native image files"]

    assert encode(_samples(1)).body == batch_files(1)[0]
    assert encode(_samples(2)).content_type.startswith("multipart/form-data")


def test_binary_pixels_are_as_long_as_they_must_be() -> None:
    lengths = []
    for encoding in ("v2 UINT8", "v2 FP32"):
        request = ENCODINGS[encoding](_samples(3))
        lengths.append(len(request.body) - int(dict(request.headers)[BINARY]))

    assert lengths == [3 * 64, 3 * 64 * 4]

"""Bodies damaged at random, the same ones in every run: none is answered with an unexpected error."""

import base64
import json
from random import Random

import pytest
from flask.testing import FlaskClient

from preprocessing.png import encode_png
from tests.support.images.drawn import as_file, as_image, as_npy, tiny_image

PNG = encode_png(tiny_image(1))
JSON = json.dumps({"images": [base64.b64encode(PNG).decode()]}).encode()
INSTANCES = json.dumps({"instances": tiny_image(1)[None].tolist()}).encode()
FORM = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a.png"\r\n\r\n' + PNG + b"\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(PNG, "image/png", id="PNG"),
        pytest.param(as_file(as_image(tiny_image(1)), "JPEG"), "image/jpeg", id="JPEG"),
        pytest.param(as_file(as_image(tiny_image(1)), "GIF"), "image/gif", id="GIF"),
        pytest.param(as_file(as_image(tiny_image(1)), "BMP"), "image/bmp", id="BMP"),
        pytest.param(as_file(as_image(tiny_image(1)), "TIFF"), "image/tiff", id="TIFF"),
        pytest.param(as_file(as_image(tiny_image(1)), "WEBP"), "image/webp", id="WebP"),
        pytest.param(as_npy(tiny_image(1)[None]), "application/x-npy", id="npy"),
        pytest.param(JSON, "application/json", id="base64"),
        pytest.param(INSTANCES, "application/json", id="pixels"),
        pytest.param(FORM, "multipart/form-data; boundary=b", id="form"),
    ],
)
def test_a_damaged_body_is_understood_or_rejected(client: FlaskClient, body: bytes, content_type: str) -> None:
    random = Random(body)
    statuses = set()
    for _ in range(200):
        damaged = bytearray(body)
        for _ in range(random.randint(1, 5)):
            damaged[random.randrange(len(body))] = random.randrange(256)
        cut = len(body) if random.random() < 0.7 else random.randrange(1, len(body))
        statuses.add(client.post("/predict", data=bytes(damaged[:cut]), content_type=content_type).status_code)

    assert statuses <= {200, 400, 413, 415}

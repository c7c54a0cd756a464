"""The same digits in every protocol and encoding: the same labels, and probabilities at most 1e-6 apart."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import kserve
import numpy as np
import onnxruntime
import pytest
import requests
from kserve.inference_client import RESTConfig
from numpy.typing import NDArray
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

from preprocessing.png import encode_png
from tests.support.http.raw_client import RawConnection, Response
from tests.support.http.raw_client import request as wire_request
from tests.support.images.drawn import Pixels, as_npy
from tests.support.processes.service import ROOT, RunningService, running

pytestmark = pytest.mark.data

BUNDLE = ROOT / "models" / "mnist" / "2"  # the version that answers by default
LABELS = json.loads((BUNDLE / "metadata.json").read_text())["labels"] if BUNDLE.is_dir() else []
COUNT = 1000
BATCH = 250  # a request takes 256 images

Rows = NDArray[np.float64]  # [N, 10]
Ask = Callable[[RunningService, Pixels], Rows]  # of digits: uint8 [N, 28, 28, 1]


@pytest.fixture(scope="module")
def bundle() -> Path:
    if not BUNDLE.is_dir():
        pytest.skip("no models/mnist/2 here: python -m training train mnist-strong")
    return BUNDLE


@pytest.fixture(scope="module")
def service(bundle: Path) -> Iterator[RunningService]:
    with running(bundle.parent.parent, workers=2) as service:
        yield service


@pytest.fixture(scope="module")
def digits(data_folder: Path) -> Pixels:
    images: Pixels = np.load(data_folder / "mnist.npz")["x_test"][:COUNT, ..., None]
    return images


@pytest.fixture(scope="module")
def reference(bundle: Path, digits: Pixels) -> Rows:
    session = onnxruntime.InferenceSession(bundle / "model.onnx", providers=["CPUExecutionProvider"])
    rows: Rows = session.run(None, {"image": digits})[0]
    return rows


def batches(digits: Pixels) -> list[Pixels]:
    """As many as fit in a request, at a time."""
    return [digits[start : start + BATCH] for start in range(0, len(digits), BATCH)]


def in_base64(pixels: Pixels) -> str:
    """A PNG file as text."""
    return base64.b64encode(encode_png(pixels)).decode()


def post(service: RunningService, path: str, bodies: list[bytes], **headers: str) -> Iterator[Response]:
    """Send bodies one after the other over one connection."""
    with RawConnection(service.port) as connection:
        for body in bodies:
            connection.send(wire_request("POST", path, body, **headers))
            response = connection.response()
            assert response.status == 200, response.body
            yield response


def post_json(service: RunningService, path: str, documents: list[Any]) -> list[Any]:
    """The documents that come back."""
    bodies = [json.dumps(document).encode() for document in documents]
    return [response.json() for response in post(service, path, bodies, content_type="application/json")]


def ranked(rows: list[list[tuple[str, float]]]) -> Rows:
    """Probabilities by index from lists of label and probability."""
    return np.array([[dict(row)[label] for label in LABELS] for row in rows])


NATIVE = "/models/mnist/predict?top_k=10"


def from_native(documents: list[Any]) -> Rows:
    """The probabilities in responses of the native protocol."""
    every = [prediction["top_k"] for document in documents for prediction in document["predictions"]]
    return ranked([[(each["label"], each["probability"]) for each in top_k] for top_k in every])


def native_files(service: RunningService, digits: Pixels) -> Rows:
    return from_native(
        [response.json() for response in post(service, NATIVE, [encode_png(pixels) for pixels in digits])]
    )


def native_form(service: RunningService, digits: Pixels) -> Rows:
    url = f"http://127.0.0.1:{service.port}{NATIVE}"
    forms = [[("file", (f"{n}.png", encode_png(pixels))) for n, pixels in enumerate(each)] for each in batches(digits)]
    with requests.Session() as session:
        session.trust_env = False  # no proxy stands between a test and its service
        return from_native([session.post(url, files=form).json() for form in forms])


def native_npy(service: RunningService, digits: Pixels) -> Rows:
    bodies = [as_npy(each) for each in batches(digits)]
    return from_native(
        [response.json() for response in post(service, NATIVE, bodies, content_type="application/x-npy")]
    )


def native_instances(service: RunningService, digits: Pixels) -> Rows:
    return from_native(post_json(service, NATIVE, [{"instances": each.tolist()} for each in batches(digits)]))


def native_base64(service: RunningService, digits: Pixels) -> Rows:
    documents = [{"images": [in_base64(pixels) for pixels in each]} for each in batches(digits)]
    return from_native(post_json(service, NATIVE, documents))


V2 = "/v2/models/mnist/infer"


def infer(service: RunningService, digits: Pixels, prepare: Callable[[Pixels], NDArray[Any]], kind: str) -> Rows:
    """The probabilities by Triton's client, all binary; `prepare` makes the tensor of a batch."""
    found = []
    with InferenceServerClient(f"127.0.0.1:{service.port}") as client:
        for tensor in map(prepare, batches(digits)):
            given = InferInput("image", list(tensor.shape), kind).set_data_from_numpy(tensor)
            found.append(client.infer("mnist", [given]).as_numpy("probabilities"))
    return np.concatenate(found)


def v2_json(service: RunningService, digits: Pixels) -> Rows:
    tensors = [
        {"name": "image", "datatype": "UINT8", "shape": each.shape, "data": each.tolist()} for each in batches(digits)
    ]
    documents = post_json(service, V2, [{"inputs": [tensor]} for tensor in tensors])
    return np.concatenate([np.reshape(each["outputs"][0]["data"], each["outputs"][0]["shape"]) for each in documents])


def v2_uint8(service: RunningService, digits: Pixels) -> Rows:
    return infer(service, digits, lambda each: each, "UINT8")


def v2_fp32(service: RunningService, digits: Pixels) -> Rows:
    return infer(service, digits, lambda each: each.astype(np.float32), "FP32")


def v2_files(service: RunningService, digits: Pixels) -> Rows:
    return infer(service, digits, lambda each: np.array([encode_png(pixels) for pixels in each], dtype=object), "BYTES")


def v2_raw(service: RunningService, digits: Pixels) -> Rows:
    return raw(service, [pixels.tobytes() for pixels in digits])


def v2_raw_files(service: RunningService, digits: Pixels) -> Rows:
    return raw(service, [encode_png(pixels) for pixels in digits])


def raw(service: RunningService, bodies: list[bytes]) -> Rows:
    """The probabilities for bodies without JSON."""
    found = []
    for response in post(service, V2, bodies, inference_header_content_length="0"):
        length = int(response.headers["Inference-Header-Content-Length"])
        result = InferenceServerClient.parse_response_body(response.body, header_length=length)
        found.append(result.as_numpy("probabilities")[0])
    return np.array(found)


def v2_classes(service: RunningService, digits: Pixels) -> Rows:
    found = []
    with InferenceServerClient(f"127.0.0.1:{service.port}") as client:
        for each in batches(digits):
            given = InferInput("image", list(each.shape), "UINT8").set_data_from_numpy(each)
            wanted = InferRequestedOutput("probabilities", class_count=10)
            found.extend(client.infer("mnist", [given], outputs=[wanted]).as_numpy("probabilities").tolist())
    classes = [[text.decode().split(":") for text in row] for row in found]
    assert all(LABELS[int(index)] == label for row in classes for _, index, label in row)
    return ranked([[(label, float(value)) for value, _, label in row] for row in classes])


V1 = "/v1/models/mnist:predict"


def v1_instances(service: RunningService, digits: Pixels) -> Rows:
    documents = post_json(service, V1, [{"instances": each.tolist()} for each in batches(digits)])
    return np.concatenate([document["predictions"] for document in documents])


def v1_files(service: RunningService, digits: Pixels) -> Rows:
    instances = [[{"b64": in_base64(pixels)} for pixels in each] for each in batches(digits)]
    documents = post_json(service, V1, [{"instances": each} for each in instances])
    return np.concatenate([document["predictions"] for document in documents])


def v1_inputs(service: RunningService, digits: Pixels) -> Rows:
    documents = post_json(service, V1, [{"inputs": {"image": each.tolist()}} for each in batches(digits)])
    return np.concatenate([document["outputs"] for document in documents])


def v1_classify(service: RunningService, digits: Pixels) -> Rows:
    examples = [[{"image": {"b64": in_base64(pixels)}} for pixels in each] for each in batches(digits)]
    documents = post_json(service, "/v1/models/mnist:classify", [{"examples": each} for each in examples])
    return ranked([row for document in documents for row in document["results"]])


async def by_kserve(service: RunningService, protocol: str, requests: list[Any]) -> list[Any]:
    """What KServe's client gets for its requests."""
    config = RESTConfig(transport=httpx.AsyncHTTPTransport(), protocol=protocol)
    async with kserve.InferenceRESTClient(config) as client:
        return [await client.infer(f"http://127.0.0.1:{service.port}", data, model_name="mnist") for data in requests]


def kserve_v1(service: RunningService, digits: Pixels) -> Rows:
    documents = asyncio.run(by_kserve(service, "v1", [{"instances": each.tolist()} for each in batches(digits)]))
    return np.concatenate([document["predictions"] for document in documents])


def kserve_v2(service: RunningService, digits: Pixels) -> Rows:
    tensors = [kserve.InferInput("image", list(each.shape), "UINT8", each) for each in batches(digits)]
    asked = [kserve.InferRequest("mnist", [tensor]) for tensor in tensors]
    return np.concatenate([each.outputs[0].as_numpy() for each in asyncio.run(by_kserve(service, "v2", asked))])


@pytest.mark.parametrize(
    "ask",
    [
        *(native_files, native_form, native_npy, native_instances, native_base64),
        *(v2_json, v2_uint8, v2_fp32, v2_files, v2_raw, v2_raw_files, v2_classes),
        *(v1_instances, v1_files, v1_inputs, v1_classify),
        *(kserve_v1, kserve_v2),
    ],
    ids=lambda ask: ask.__name__,
)
def test_the_digits_get_the_same_labels_and_probabilities(
    service: RunningService, digits: Pixels, reference: Rows, ask: Ask
) -> None:
    probabilities = ask(service, digits)

    assert np.abs(probabilities - reference).max() <= 1e-6
    assert probabilities.argmax(axis=1).tolist() == np.load(BUNDLE / "predictions.npy")[:COUNT].tolist()

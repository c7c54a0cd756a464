"""The same classification in every protocol, of image files and of pixels, for any model."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import kserve
import numpy as np
from kserve.inference_client import RESTConfig
from numpy.typing import NDArray
from tritonclient.http import InferInput, InferRequestedOutput

from modelrepo.metadata import Metadata
from tests.support.http.triton_client import connect, pixels
from tests.support.images.drawn import as_npy
from tests.support.images.photographs import Photographs
from tests.support.processes.service import RunningService

Rows = NDArray[np.float64]  # [N, classes]


@dataclass(frozen=True)
class Served:
    """A model of a running service."""

    service: RunningService
    metadata: Metadata

    def post(self, path: str, body: bytes, **headers: str) -> Any:
        """The JSON of the response."""
        response = self.service.post(path, body, **headers)
        assert response.status == 200, response.body
        return response.json()

    def post_json(self, path: str, document: object) -> Any:
        """The same for a JSON document."""
        return self.post(path, json.dumps(document).encode(), content_type="application/json")

    def ranked(self, rows: Iterable[Iterable[tuple[str, float]]]) -> Rows:
        """Probabilities by index from labels with theirs."""
        return np.array([[found[label] for label in self.metadata.labels] for found in map(dict, rows)])


Classify = Callable[[Served, Photographs], Rows]


def native_files(served: Served, photographs: Photographs) -> Rows:
    responses = [served.post(_native(served), content) for content in photographs.files]
    return _from_native(served, responses)


def native_base64(served: Served, photographs: Photographs) -> Rows:
    return _from_native(served, [served.post_json(_native(served), {"images": _texts(photographs)})])


def native_npy(served: Served, photographs: Photographs) -> Rows:
    body = as_npy(photographs.pixels)
    return _from_native(served, [served.post(_native(served), body, content_type="application/x-npy")])


def v2_files(served: Served, photographs: Photographs) -> Rows:
    return _v2(served, np.array(photographs.files, dtype=object))


def v2_pixels(served: Served, photographs: Photographs) -> Rows:
    return _v2(served, photographs.pixels)


def v2_classes(served: Served, photographs: Photographs) -> Rows:
    metadata = served.metadata
    wanted = InferRequestedOutput(metadata.output.name, class_count=metadata.output.classes)
    with connect(served.service) as client:
        given = pixels(np.array(photographs.files, dtype=object), name=metadata.input.name)
        found = client.infer(metadata.name, given, outputs=[wanted]).as_numpy(metadata.output.name)
    texts = [[text.decode().split(":", 2) for text in row] for row in found.tolist()]
    return served.ranked([[(label, float(value)) for value, _, label in row] for row in texts])


def v1_files(served: Served, photographs: Photographs) -> Rows:
    instances = [{"b64": text} for text in _texts(photographs)]
    return np.array(served.post_json(_v1(served, "predict"), {"instances": instances})["predictions"])


def v1_pixels(served: Served, photographs: Photographs) -> Rows:
    return np.array(served.post_json(_v1(served, "predict"), {"inputs": photographs.pixels.tolist()})["outputs"])


def v1_classify(served: Served, photographs: Photographs) -> Rows:
    examples = [{served.metadata.input.name: {"b64": text}} for text in _texts(photographs)]
    return served.ranked(served.post_json(_v1(served, "classify"), {"examples": examples})["results"])


def kserve_v1(served: Served, photographs: Photographs) -> Rows:
    document = {"instances": [{"b64": text} for text in _texts(photographs)]}
    return np.array(asyncio.run(_by_kserve(served, "v1", document))["predictions"])


def kserve_v2(served: Served, photographs: Photographs) -> Rows:
    name, values = served.metadata.input.name, photographs.pixels
    tensor = kserve.InferInput(name, list(values.shape), "UINT8", values)
    asked = kserve.InferRequest(served.metadata.name, [tensor])
    rows: Rows = asyncio.run(_by_kserve(served, "v2", asked)).outputs[0].as_numpy()
    return rows


ALL_PROTOCOLS: tuple[Classify, ...] = (
    *(native_files, native_base64, native_npy),
    *(v2_files, v2_pixels, v2_classes),
    *(v1_files, v1_pixels, v1_classify),
    *(kserve_v1, kserve_v2),
)


def _native(served: Served) -> str:
    return f"/models/{served.metadata.name}/predict?top_k={served.metadata.output.classes}"


def _v1(served: Served, verb: str) -> str:
    return f"/v1/models/{served.metadata.name}:{verb}"


def _texts(photographs: Photographs) -> list[str]:
    return [base64.b64encode(content).decode() for content in photographs.files]


def _from_native(served: Served, documents: list[Any]) -> Rows:
    every = [prediction["top_k"] for document in documents for prediction in document["predictions"]]
    return served.ranked([[(each["label"], each["probability"]) for each in top_k] for top_k in every])


def _v2(served: Served, tensor: NDArray[Any]) -> Rows:
    given: list[InferInput] = pixels(tensor, name=served.metadata.input.name)
    with connect(served.service) as client:
        rows: Rows = client.infer(served.metadata.name, given).as_numpy(served.metadata.output.name)
    return rows


async def _by_kserve(served: Served, protocol: str, asked: object) -> Any:
    config = RESTConfig(transport=httpx.AsyncHTTPTransport(), protocol=protocol)
    async with kserve.InferenceRESTClient(config) as client:
        return await client.infer(f"http://127.0.0.1:{served.service.port}", asked, model_name=served.metadata.name)

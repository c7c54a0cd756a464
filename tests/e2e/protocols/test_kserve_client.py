"""KServe's own Python client against the service, in both of its protocols."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import numpy as np
import pytest
from kserve import InferenceRESTClient, InferInput, InferRequest, InferResponse
from kserve.inference_client import RESTConfig
from kserve.protocol.infer_type import RequestedOutput

from tests.support.bundles.tiny_batches import PROBABILITIES, batch, batch_files, expected_probabilities
from tests.support.images.drawn import Pixels
from tests.support.processes.service import RunningService

Call = Callable[[InferenceRESTClient, str], Awaitable[Any]]
Ask = Callable[[str, Call], Any]
LARGE = 100  # images whose answer is more than 1 KiB, so that it comes compressed


@pytest.fixture
def ask(service: RunningService) -> Ask:
    """Call a method of a client of this protocol: `ask("v2", lambda client, url: client.infer(url, …))`."""

    async def talk(protocol: str, call: Call) -> Any:
        config = RESTConfig(transport=httpx.AsyncHTTPTransport(), protocol=protocol)
        async with InferenceRESTClient(config) as client:
            return await call(client, f"http://127.0.0.1:{service.port}")

    return lambda protocol, call: asyncio.run(talk(protocol, call))


def request(tensor: InferInput, **options: Any) -> InferRequest:
    """A v2 request with one input."""
    return InferRequest("mnist", [tensor], **options)


def pixels(values: Pixels, *, binary: bool) -> InferInput:
    """The input that carries an array, behind the JSON or in it."""
    tensor = InferInput("image", list(values.shape), "UINT8")
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def images(contents: list[bytes], *, binary: bool) -> InferInput:
    """The input that carries image files, behind the JSON or as base64 text in it."""
    elements = contents if binary else [base64.b64encode(content) for content in contents]
    tensor = InferInput("image", [len(elements)], "BYTES")
    tensor.set_data_from_numpy(np.array(elements, dtype=object), binary_data=binary)
    return tensor


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_the_server_is_live(ask: Ask, protocol: str) -> None:
    assert ask(protocol, lambda client, url: client.is_server_live(url)) is True


def test_the_server_is_ready(ask: Ask) -> None:
    assert ask("v2", lambda client, url: client.is_server_ready(url)) is True


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_a_loaded_model_is_ready(ask: Ask, protocol: str) -> None:
    assert ask(protocol, lambda client, url: client.is_model_ready(url, "mnist")) is True


def test_a_model_that_is_not_there_is_not_ready(ask: Ask) -> None:
    assert ask("v2", lambda client, url: client.is_model_ready(url, "nothing")) is False
    with pytest.raises(httpx.HTTPStatusError, match=r"nothing.*404"):
        ask("v1", lambda client, url: client.is_model_ready(url, "nothing"))


@pytest.mark.parametrize(
    "instances",
    [
        batch(5).tolist(),
        [{"image": pixels} for pixels in batch(5).tolist()],
        [{"b64": base64.b64encode(content).decode()} for content in batch_files(5)],
    ],
    ids=["pixels", "named pixels", "image files"],
)
def test_version_1_predicts_one_list_an_instance(ask: Ask, instances: list[Any]) -> None:
    response = ask("v1", lambda client, url: client.infer(url, {"instances": instances}, model_name="mnist"))

    assert response.keys() == {"predictions"}
    assert np.array(response["predictions"]) == pytest.approx(expected_probabilities(5), abs=1e-6)


@pytest.mark.parametrize("carry", [pixels, images], ids=["pixels", "image files"])
@pytest.mark.parametrize("sent", [True, False], ids=["binary input", "JSON input"])
@pytest.mark.parametrize("received", [True, False], ids=["binary output", "JSON output"])
@pytest.mark.parametrize("size", [1, 8, LARGE])
def test_version_2_takes_and_gives_every_encoding(
    ask: Ask, carry: Callable[..., InferInput], sent: bool, received: bool, size: int
) -> None:
    tensor = carry(batch(size) if carry is pixels else batch_files(size), binary=sent)
    options = {"binary_data_output": received}
    response = ask("v2", lambda client, url: client.infer(url, request(tensor, parameters=options), model_name="mnist"))

    (output,) = response.outputs
    assert isinstance(response, InferResponse)
    assert (response.model_name, output.name, output.datatype, output.shape) == (
        "mnist",
        "probabilities",
        "FP32",
        [size, 3],
    )
    assert output.as_numpy() == pytest.approx(expected_probabilities(size), abs=1e-6)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
def test_an_output_that_is_asked_for_comes_in_its_form(ask: Ask, binary: bool) -> None:
    wanted = RequestedOutput("probabilities", {"binary_data": binary, "classification": 2})
    tensor = pixels(batch(1), binary=True)
    headers: dict[str, str] = {}
    response = ask(
        "v2",
        lambda client, url: client.infer(
            url, request(tensor, request_outputs=[wanted]), model_name="mnist", response_headers=headers
        ),
    )

    (best, _) = response.outputs[0].data
    assert best == f"{PROBABILITIES[0, 0]:.6f}:0:left"
    assert headers["content-type"] == ("application/octet-stream" if binary else "application/json")


def test_the_id_that_the_client_chose_comes_back(ask: Ask) -> None:
    tensor = pixels(batch(1), binary=False)
    response = ask("v2", lambda client, url: client.infer(url, request(tensor, request_id="42"), model_name="mnist"))

    assert response.id == "42"


def test_the_model_can_be_a_step_of_an_inference_graph(ask: Ask) -> None:
    data = {"instances": batch(2).tolist()}
    step = {"is_graph_endpoint": True}
    response = ask("v1", lambda client, url: client.infer(f"{url}/v1/models/mnist:predict", data, **step))

    assert np.array(response["predictions"]) == pytest.approx(expected_probabilities(2), abs=1e-6)


@pytest.mark.parametrize(
    ("protocol", "call", "sentence"),
    [
        ("v1", lambda client, url: client.infer(url, {"instances": [[1]]}, "mnist"), "mnist takes 8×8.*'400 "),
        ("v1", lambda client, url: client.infer(url, {"instances": [[1]]}, "nothing"), "nothing.*'404 "),
        (
            "v1",
            lambda client, url: client.explain(url, "mnist", {"instances": [[1]]}),
            "Malformed request: POST.*'400 ",
        ),
        ("v2", lambda client, url: client.infer(url, {"inputs": []}, "mnist"), "input.*'400 "),
        ("v2", lambda client, url: client.infer(url, request(pixels(batch(1), binary=True)), "nothing"), "noth.*'404 "),
        (
            "v2",
            lambda client, url: client.infer(url, request(pixels(batch(3)[:, 0], binary=True)), "mnist"),
            "mnist takes 8×8.*'400 ",
        ),
    ],
    ids=["v1 shape", "v1 unknown", "v1 explain", "v2 no input", "v2 unknown", "v2 shape"],
)
def test_what_is_wrong_is_said_in_the_exception(ask: Ask, protocol: str, call: Call, sentence: str) -> None:
    with pytest.raises(httpx.HTTPStatusError, match=sentence):
        ask(protocol, call)

"""Inference through Triton's own Python client: every encoding, option and failure, without shared memory."""

import asyncio
import base64
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.http.aio import InferenceServerClient as AsyncClient
from tritonclient.utils import InferenceServerException

from tests.support.bundles.tiny_batches import PROBABILITIES, batch, batch_files, expected_probabilities
from tests.support.http.raw_client import Response
from tests.support.http.triton_client import connect, pixels
from tests.support.processes.service import RunningService

COMPRESSIBLE = 100  # images whose probabilities are more than 1 KiB
SIZES = [1, 8, 32]
V2 = "/v2/models/mnist/infer"


def images(contents: list[bytes], *, binary: bool = True) -> list[InferInput]:
    """The input that carries image files."""
    return pixels(np.array(contents, dtype=object), binary=binary)


def wanted(**options: Any) -> list[InferRequestedOutput]:
    """The output, in the form that the options ask for."""
    return [InferRequestedOutput("probabilities", **options)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sent", [True, False], ids=["binary input", "JSON input"])
@pytest.mark.parametrize("received", [True, False], ids=["binary output", "JSON output"])
def test_pixels_go_in_and_probabilities_come_out_in_every_encoding(
    triton: InferenceServerClient, size: int, sent: bool, received: bool
) -> None:
    result = triton.infer("mnist", pixels(batch(size), binary=sent), outputs=wanted(binary_data=received))

    assert result.as_numpy("probabilities") == pytest.approx(expected_probabilities(size), abs=1e-6)
    assert result.as_numpy("probabilities").dtype == np.float32
    assert ("data" in result.get_output("probabilities")) is not received


@pytest.mark.parametrize("size", SIZES)
def test_image_files_go_in_as_bytes(triton: InferenceServerClient, size: int) -> None:
    flat = triton.infer("mnist", images(batch_files(size)))
    column = triton.infer("mnist", pixels(np.array(batch_files(size), dtype=object)[:, None]))

    assert flat.as_numpy("probabilities") == pytest.approx(expected_probabilities(size), abs=1e-6)
    assert column.as_numpy("probabilities") == pytest.approx(expected_probabilities(size), abs=1e-6)


def test_image_files_go_in_as_base64_text_where_the_input_is_json(triton: InferenceServerClient) -> None:
    texts = [base64.b64encode(content) for content in batch_files(8)]
    result = triton.infer("mnist", images(texts, binary=False), outputs=wanted(binary_data=False))

    assert result.as_numpy("probabilities") == pytest.approx(expected_probabilities(8), abs=1e-6)


@pytest.mark.parametrize(
    "kind", ["int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
)
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
def test_pixels_may_have_any_numeric_datatype(triton: InferenceServerClient, kind: str, binary: bool) -> None:
    dark = (batch(3) // 255 * 127).astype(kind)
    result = triton.infer("mnist", pixels(dark, binary=binary))

    assert result.as_numpy("probabilities").argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", [np.float16, ml_dtypes.bfloat16], ids=["FP16", "BF16"])
def test_pixels_of_two_bytes_a_float_are_taken_as_binary(triton: InferenceServerClient, kind: type) -> None:
    result = triton.infer("mnist", pixels(batch(3).astype(kind)))

    assert result.as_numpy("probabilities") == pytest.approx(expected_probabilities(3), abs=1e-6)


def test_the_output_without_a_request_for_it_is_binary(triton: InferenceServerClient) -> None:
    result = triton.infer("mnist", pixels(batch(2)))

    assert result.get_output("probabilities") == {
        "name": "probabilities",
        "datatype": "FP32",
        "shape": [2, 3],
        "parameters": {"binary_data_size": 24},
    }


@pytest.mark.parametrize(("asked", "given"), [(1, 1), (2, 2), (5, 3)], ids=["one", "two", "more than there are"])
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
def test_classes_come_as_value_index_and_label(
    triton: InferenceServerClient, asked: int, given: int, binary: bool
) -> None:
    result = triton.infer("mnist", pixels(batch(2)), outputs=wanted(class_count=asked, binary_data=binary))
    best = [str(row[0], "utf-8") if binary else row[0] for row in result.as_numpy("probabilities")]

    assert result.get_output("probabilities")["datatype"] == "BYTES"
    assert result.get_output("probabilities")["shape"] == [2, given]
    assert best == [f"{PROBABILITIES[0, 0]:.6f}:0:left", f"{PROBABILITIES[1, 1]:.6f}:1:middle"]


def test_the_flow_of_tritons_image_client_works(triton: InferenceServerClient) -> None:
    (taken,) = triton.get_model_metadata("mnist")["inputs"]
    (given,) = triton.get_model_metadata("mnist")["outputs"]
    config = triton.get_model_config("mnist")
    count = min(config["max_batch_size"], 6)
    tensor = InferInput(taken["name"], [count, *taken["shape"][1:]], taken["datatype"])
    tensor.set_data_from_numpy(batch(count))
    result = triton.infer("mnist", [tensor], outputs=[InferRequestedOutput(given["name"], class_count=3)])

    classes = [[value.decode().split(":") for value in row] for row in result.as_numpy(given["name"])]
    assert (config["input"][0]["format"], given["datatype"]) == ("FORMAT_NHWC", "FP32")
    assert [row[0][2] for row in classes] == ["left", "middle", "right"] * 2
    assert all(row == sorted(row, key=lambda each: -float(each[0])) for row in classes)


@pytest.mark.parametrize("request_compression", [None, "gzip", "deflate"])
@pytest.mark.parametrize("response_compression", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
def test_requests_and_responses_may_be_compressed(
    triton: InferenceServerClient, request_compression: str | None, response_compression: str | None, binary: bool
) -> None:
    result = triton.infer(
        "mnist",
        pixels(batch(COMPRESSIBLE), binary=binary),
        outputs=wanted(binary_data=binary),
        request_compression_algorithm=request_compression,
        response_compression_algorithm=response_compression,
    )

    assert result.as_numpy("probabilities") == pytest.approx(expected_probabilities(COMPRESSIBLE), abs=1e-6)


def send(service: RunningService, size: int, **headers: str) -> Response:
    """Post a body that the client made without sending it."""
    body, json_size = InferenceServerClient.generate_request_body(pixels(batch(size)), request_id="mine")
    return service.post(V2, body, inference_header_content_length=str(json_size), **headers)


@pytest.mark.parametrize("encoding", [None, "gzip", "deflate"])
def test_bodies_that_the_client_made_and_parses_elsewhere_work(service: RunningService, encoding: str | None) -> None:
    response = send(service, COMPRESSIBLE, **({"accept_encoding": encoding} if encoding else {}))
    length = int(response.headers["Inference-Header-Content-Length"])
    result = InferenceServerClient.parse_response_body(
        response.body, header_length=length, content_encoding=response.headers["Content-Encoding"]
    )

    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Encoding"] == encoding
    assert result.get_response()["id"] == "mine"
    assert result.as_numpy("probabilities") == pytest.approx(expected_probabilities(COMPRESSIBLE), abs=1e-6)


def test_a_response_below_a_kibibyte_is_not_compressed(service: RunningService) -> None:
    response = send(service, 8, accept_encoding="gzip")

    assert response.status == 200
    assert "Content-Encoding" not in response.headers


def test_a_compression_that_is_not_known_is_not_implemented(triton: InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="cannot read Content-Encoding: br") as refusal:
        triton.infer("mnist", pixels(batch(1)), headers={"Content-Encoding": "br"})

    assert refusal.value.status() == "501"


@pytest.mark.parametrize("form", [batch(2)[1].tobytes(), batch_files(2)[1]], ids=["raw pixels", "image file"])
def test_a_body_without_any_json_is_one_image(service: RunningService, form: bytes) -> None:
    response = service.post(V2, form, inference_header_content_length="0")
    length = int(response.headers["Inference-Header-Content-Length"])
    result = InferenceServerClient.parse_response_body(response.body, header_length=length)

    assert result.as_numpy("probabilities") == pytest.approx(PROBABILITIES[1:2], abs=1e-6)


def test_requests_in_flight_at_once_each_get_their_own_response(service: RunningService) -> None:
    with connect(service, connections=4) as client:
        waiting = [client.async_infer("mnist", pixels(batch(size)), request_id=str(size)) for size in range(1, 17)]
        results = [each.get_result() for each in waiting]

    for size, result in enumerate(results, 1):
        assert result.get_response()["id"] == str(size)
        assert result.as_numpy("probabilities") == pytest.approx(expected_probabilities(size), abs=1e-6)


def test_an_asynchronous_request_that_fails_says_why(triton: InferenceServerClient) -> None:
    waiting = triton.async_infer("nothing", pixels(batch(1)))

    with pytest.raises(InferenceServerException, match="there is no model 'nothing'"):
        waiting.get_result()


def test_the_asyncio_client_takes_compressed_responses_from_infer_alone(service: RunningService) -> None:
    # It accepts gzip on every request, and unpacks what infer gets and nothing else.
    async def talk() -> tuple[Any, ...]:
        async with AsyncClient(f"127.0.0.1:{service.port}") as client:
            result = await client.infer("mnist", pixels(batch(COMPRESSIBLE)))
            with pytest.raises(InferenceServerException, match=r"there is no model 'n{2000}'"):
                await client.infer("n" * 2000, pixels(batch(1)))
            every = await client.get_inference_statistics()
            return result, every, await client.get_model_config("mnist"), await client.get_model_repository_index()

    result, every, config, index = asyncio.run(talk())

    assert result.as_numpy("probabilities") == pytest.approx(expected_probabilities(COMPRESSIBLE), abs=1e-6)
    assert len(every["model_stats"]) == len(index) == 3
    assert config["name"] == "mnist"


@pytest.mark.parametrize(("asked", "given"), [("", "2"), ("1", "1"), ("2", "2")], ids=["newest", "one", "two"])
def test_the_version_that_is_asked_for_answers(triton: InferenceServerClient, asked: str, given: str) -> None:
    result = triton.infer("mnist", pixels(batch(1)), model_version=asked)

    assert result.get_response()["model_name"] == "mnist"
    assert result.get_response()["model_version"] == given


def test_the_id_of_a_request_comes_back_and_none_is_made_up(triton: InferenceServerClient) -> None:
    named = triton.infer("mnist", pixels(batch(1)), request_id="42")
    nameless = triton.infer("mnist", pixels(batch(1)))

    assert named.get_response()["id"] == "42"
    assert "id" not in nameless.get_response()


def test_parameters_that_change_nothing_are_taken(triton: InferenceServerClient) -> None:
    result = triton.infer("mnist", pixels(batch(1)), priority=1, timeout=5_000_000, parameters={"who": "me", "n": 1})

    assert result.as_numpy("probabilities") == pytest.approx(expected_probabilities(1), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments", "status", "sentence"),
    [
        ("nothing", {"inputs": pixels(batch(1))}, "404", "there is no model 'nothing'"),
        ("mnist", {"inputs": pixels(batch(1)), "model_version": "7"}, "404", "'mnist' has no version 7"),
        ("mnist", {"inputs": pixels(batch(3).reshape(3, 1, 8, 8))}, "400", "mnist takes 8×8 grayscale images"),
        ("mnist", {"inputs": []}, "400", "expected 1 inputs but got 0 inputs"),
        ("mnist", {"inputs": pixels(batch(1), name="picture")}, "400", "unexpected inference input 'picture'"),
        ("mnist", {"inputs": pixels(batch(1)) * 2}, "400", "expected 1 inputs but got 2 inputs"),
        (
            "mnist",
            {"inputs": pixels(batch(1)), "outputs": [InferRequestedOutput("logits")]},
            "400",
            "unexpected inference output 'logits'",
        ),
        ("mnist", {"inputs": pixels(batch(1) > 0)}, "400", "data-type is 'BOOL'"),
        ("mnist", {"inputs": pixels(batch(1) / 255.5)}, "400", "whole numbers from 0 to 255"),
        (
            "mnist",
            {"inputs": pixels(batch(1).astype(np.int16) - 1)},
            "400",
            "pixels are from 0 to 255; yours are from -1",
        ),
        ("mnist", {"inputs": pixels(np.full((1, 8, 8, 1), np.nan))}, "400", "contains NaN"),
        ("mnist", {"inputs": images([b"no picture"])}, "400", "not an image"),
        ("mnist", {"inputs": pixels(batch(257))}, "413", "257 images in one request are too many"),
    ],
    ids=[
        "unknown model",
        "unknown version",
        "wrong shape",
        "no input",
        "unknown input",
        "two inputs",
        "unknown output",
        "BOOL",
        "fractions",
        "negative",
        "NaN",
        "no picture",
        "too many",
    ],
)
def test_what_is_wrong_is_said_in_the_exception(
    triton: InferenceServerClient, name: str, arguments: dict[str, Any], status: str, sentence: str
) -> None:
    with pytest.raises(InferenceServerException, match=sentence) as refusal:
        triton.infer(name, **arguments)

    assert refusal.value.status() == status

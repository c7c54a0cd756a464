"""Triton's Python client reads the server's and the models' metadata, and gets errors for what is not supported."""

from collections.abc import Callable

import pytest
from tritonclient.http import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

EXTENSIONS = {
    "classification",
    "model_configuration",
    "model_repository",
    "model_repository(unload_dependents)",
    "binary_tensor_data",
    "parameters",
    "statistics",
}
NO_LOADING = "explicit model load / unload is not allowed"


def test_the_server_is_live_and_ready(triton: InferenceServerClient) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()


@pytest.mark.parametrize(
    ("name", "version", "ready"),
    [("mnist", "", True), ("mnist", "1", True), ("mnist", "7", False), ("nothing", "", False)],
    ids=["newest", "version", "no such version", "no such model"],
)
def test_a_model_is_ready_where_it_is_loaded(
    triton: InferenceServerClient, name: str, version: str, ready: bool
) -> None:
    assert triton.is_model_ready(name, version) is ready


def test_the_server_names_the_extensions_it_has(triton: InferenceServerClient) -> None:
    metadata = triton.get_server_metadata()

    assert metadata.keys() == {"name", "version", "extensions"}
    assert metadata["name"] == "convserve"
    assert set(metadata["extensions"]) == EXTENSIONS


@pytest.mark.parametrize("version", ["", "1"])
def test_the_metadata_says_what_goes_in_and_comes_out(triton: InferenceServerClient, version: str) -> None:
    metadata = triton.get_model_metadata("mnist", version)

    assert metadata == {
        "name": "mnist",
        "versions": ["1", "2"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "image", "datatype": "UINT8", "shape": [-1, 8, 8, 1]}],
        "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]}],
    }


@pytest.mark.parametrize(("name", "channels"), [("mnist", 1), ("colour", 3)])
def test_the_configuration_says_how_large_a_batch_may_be(
    triton: InferenceServerClient, name: str, channels: int
) -> None:
    config = triton.get_model_config(name)
    (taken,), (given,) = config["input"], config["output"]

    assert (config["name"], config["platform"], config["max_batch_size"]) == (name, "onnxruntime_onnx", 256)
    assert taken["dims"] == [8, 8, channels]
    assert (taken["name"], taken["data_type"], taken["format"]) == ("image", "TYPE_UINT8", "FORMAT_NHWC")
    assert (given["name"], given["data_type"], given["dims"]) == ("probabilities", "TYPE_FP32", [3])


def test_the_index_lists_every_version(triton: InferenceServerClient) -> None:
    index = triton.get_model_repository_index()

    found = {(each["name"], each["version"], each["state"], each["reason"]) for each in index}
    assert found == {
        (name, version, "READY", "") for name, version in [("mnist", "1"), ("mnist", "2"), ("colour", "1")]
    }


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.load_model("mnist"),
        lambda client: client.load_model("mnist", config="{}", files={"file:1/model.onnx": b"onnx"}),
        lambda client: client.unload_model("mnist"),
        lambda client: client.unload_model("mnist", unload_dependents=True),
    ],
    ids=["load", "load files", "unload", "unload with dependents"],
)
def test_models_are_not_loaded_over_http(
    triton: InferenceServerClient, call: Callable[[InferenceServerClient], None]
) -> None:
    with pytest.raises(InferenceServerException) as refusal:
        call(triton)

    assert refusal.value.status() == "503"
    assert refusal.value.message().startswith(NO_LOADING)
    assert triton.is_model_ready("mnist")


def test_there_is_no_shared_memory_and_unregistering_it_is_harmless(triton: InferenceServerClient) -> None:
    assert triton.get_system_shared_memory_status() == []
    assert triton.get_cuda_shared_memory_status() == []
    triton.unregister_system_shared_memory()
    triton.unregister_cuda_shared_memory()
    triton.unregister_system_shared_memory("region")
    triton.unregister_cuda_shared_memory("region")


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.register_system_shared_memory("region", "/key", 64),
        lambda client: client.register_cuda_shared_memory("region", b"aGFuZGxl", 0, 64),
        lambda client: client.infer(
            "mnist", [InferInput("image", [1, 8, 8, 1], "UINT8").set_shared_memory("region", 64)]
        ),
    ],
    ids=["system", "cuda", "an input in it"],
)
def test_shared_memory_is_not_supported(
    triton: InferenceServerClient, call: Callable[[InferenceServerClient], object]
) -> None:
    with pytest.raises(InferenceServerException, match="shared memory") as refusal:
        call(triton)

    assert refusal.value.status().startswith("4")

"""The Open Inference Protocol over HTTP: the server, its models and what they have done."""

from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import tritonclient.http
from flask.testing import FlaskClient
from google.protobuf.json_format import MessageToDict, ParseDict

from modelrepo.repository import ModelRepository
from service.codecs.limits import Limits
from service.errors import NotReady
from service.inference.costly_images import CostlyImages
from service.inference.data_plane import DataPlane
from service.inference.model_version import FailedVersion, ModelVersion, UnloadedVersion
from service.inference.registry import ModelRegistry
from service.inference.shadow import Shadows
from service.ipc.workspace import WorkerContext
from service.isolation.image_pool import ImagePool, PoolLimits
from service.lifecycle.model_control import ControlFile, ModelControl
from service.lifecycle.readiness import Readiness
from service.lifecycle.worker_status import WorkerStatuses
from service.protocols.openinference.metadata import describe_state
from service.protocols.openinference.operations import OpenInference, OpenInferenceRepository
from service.telemetry.metrics import Metrics
from tests.support.http.openinference import BYTES_IMAGE, PNG, PNG_BASE64, infer


def test_the_server_says_what_it_can_do(client: FlaskClient) -> None:
    document = client.get("/v2").get_json()

    assert document["name"] == "convserve"
    assert {"binary_tensor_data", "classification", "statistics"} <= set(document["extensions"])


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True, "live": True}),
        ("/v2/models/mnist/ready", {"name": "mnist", "ready": True}),
        ("/v2/models/mnist/versions/1/ready", {"name": "mnist", "ready": True}),
        ("/v2/models", {"models": ["colour", "mnist"]}),
        ("/v2/systemsharedmemory/status", []),
        ("/v2/cudasharedmemory/region/r/status", []),
    ],
)
def test_what_clients_ask_first_is_answered_for_all_of_them(client: FlaskClient, path: str, document: Any) -> None:
    response = client.get(path)

    assert (response.status_code, response.get_json()) == (200, document)
    assert response.content_type == "application/json"


@pytest.mark.parametrize("path", ["/v2/models/colour", "/v2/models/colour/versions/1", "/v2/models/colour/"])
def test_metadata_says_what_may_be_sent(client: FlaskClient, path: str) -> None:
    assert client.get(path).get_json() == {
        "name": "colour",
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "image", "datatype": "UINT8", "shape": [-1, 8, 8, 3]}],
        "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]}],
    }


@pytest.mark.parametrize("path", ["/v2/models/mnist/config", "/v2/models/mnist/versions/2/config"])
def test_the_configuration_has_what_clients_read(client: FlaskClient, path: str) -> None:
    config = client.get(path).get_json()

    assert (config["name"], config["backend"], config["max_batch_size"]) == ("mnist", "onnxruntime", 8)
    (image,), (scores,) = config["input"], config["output"]
    assert (image["data_type"], image["format"], image["dims"]) == ("TYPE_UINT8", "FORMAT_NHWC", [8, 8, 1])
    assert (scores["data_type"], scores["dims"]) == ("TYPE_FP32", [3])
    assert config["version_policy"] == {"specific": {"versions": [1, 2]}}


def members(value: Any) -> Any:
    """The names of all members, at any depth."""
    if isinstance(value, list):
        return [members(each) for each in value]
    return {name: members(each) for name, each in value.items()} if isinstance(value, dict) else None


def triton_config() -> Any:
    """An empty message of Triton's, from its file: its package defines names that KServe's defines as well."""
    path = Path(tritonclient.http.__file__).parents[1] / "grpc" / "model_config_pb2.py"
    return run_path(str(path))["ModelConfig"]()


def test_the_configuration_has_every_member_that_triton_prints(client: FlaskClient) -> None:
    config = client.get("/v2/models/mnist/config").get_json()

    message = ParseDict(config, triton_config())
    printed = MessageToDict(message, always_print_fields_with_no_presence=True, preserving_proto_field_name=True)
    assert members(config) == members(printed)


@pytest.mark.parametrize("operation", ["", "/ready", "/config", "/stats"])
def test_version_0_is_the_default_one(client: FlaskClient, operation: str) -> None:
    default, newest = (client.get(f"/v2/models/mnist/versions/{version}{operation}") for version in (0, 2))

    assert (default.status_code, default.get_json()) == (200, newest.get_json())


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ready": true}', b' {"ready": false} ', b'{"ready": null}'], ids=str)
def test_the_index_lists_every_version_with_its_state(client: FlaskClient, body: bytes) -> None:
    rows = client.post("/v2/repository/index", data=body).get_json()

    assert rows[0] == {"name": "colour", "version": "1", "state": "READY", "reason": ""}
    assert [(row["name"], row["version"]) for row in rows] == [("colour", "1"), ("mnist", "1"), ("mnist", "2")]


@pytest.mark.parametrize("verb", ["load", "unload"])
@pytest.mark.parametrize("body", [b"", b"{}", b'{"parameters": {"unload_dependents": false}}'], ids=str)
def test_loading_is_rejected_with_the_way_to_do_it(client: FlaskClient, verb: str, body: bytes) -> None:
    response = client.post(f"/v2/repository/models/mnist/{verb}", data=body)

    assert (response.status_code, response.headers["X-Error-Code"]) == (503, "loading_not_allowed")
    assert response.get_json()["error"].startswith("explicit model load / unload is not allowed")


@pytest.mark.parametrize("kind", ["systemsharedmemory", "cudasharedmemory"])
@pytest.mark.parametrize("path", ["unregister", "region/r/unregister"])
def test_unregistering_shared_memory_that_is_not_there_succeeds(client: FlaskClient, kind: str, path: str) -> None:
    response = client.post(f"/v2/{kind}/{path}")

    assert (response.status_code, response.data) == (200, b"")


def test_statistics_count_what_every_protocol_asked(client: FlaskClient) -> None:
    client.post("/predict?version=2", data=PNG)
    infer(client, {"inputs": [{**BYTES_IMAGE, "shape": [3], "data": [PNG_BASE64] * 3}]})
    infer(client, {"inputs": [{**BYTES_IMAGE, "data": ["AAAA"]}]})

    (row,) = client.get("/v2/models/mnist/versions/2/stats").get_json()["model_stats"]

    assert (row["name"], row["version"]) == ("mnist", "2")
    assert (row["inference_count"], row["execution_count"]) == (4, 2)
    assert [each["batch_size"] for each in row["batch_stats"]] == [1, 3]
    assert (row["inference_stats"]["success"]["count"], row["inference_stats"]["fail"]["count"]) == (2, 1)
    assert row["inference_stats"]["compute_infer"]["ns"] > 0
    assert row["last_inference"] > 1_700_000_000_000


@pytest.mark.parametrize(
    ("path", "listed"),
    [
        ("/v2/models/stats", [("colour", "1"), ("mnist", "1"), ("mnist", "2")]),
        ("/v2/models/mnist/stats", [("mnist", "1"), ("mnist", "2")]),
        ("/v2/models/mnist/versions/1/stats", [("mnist", "1")]),
    ],
)
def test_statistics_are_of_all_of_one_model_or_of_one_version(client: FlaskClient, path: str, listed: Any) -> None:
    rows = client.get(path).get_json()["model_stats"]

    assert [(row["name"], row["version"]) for row in rows] == listed


@pytest.mark.parametrize(
    ("versions", "draining", "sentence"),
    [
        pytest.param([], False, "the model repository is empty: GET /readyz", id="empty"),
        pytest.param([FailedVersion("m", 1, "broken", "graph")], False, "no version of m could be loaded", id="failed"),
        pytest.param([], True, "Server exiting", id="draining"),
    ],
)
def test_a_server_that_is_not_ready_says_why(
    metrics: Metrics, versions: list[ModelVersion], draining: bool, sentence: str
) -> None:
    registry = ModelRegistry(versions, "mnist")
    images = CostlyImages(ImagePool(PoolLimits(1, 512 << 20, 5, 30), metrics.image_jobs))
    data_plane = DataPlane(metrics, Shadows(registry, metrics.shadows), images)
    readiness = Readiness(registry, lambda: draining)
    protocol = OpenInference(registry, data_plane, metrics.statistics, readiness, limits=Limits(1, 1, 1), instances=1)

    with pytest.raises(NotReady, match=sentence):
        protocol.server_ready()


def test_a_failed_version_is_in_the_index_but_not_among_the_ready(context: WorkerContext) -> None:
    control = ModelControl(ModelRepository(context.folder), ControlFile(context.folder), WorkerStatuses(context), 1.0)
    registry = ModelRegistry([FailedVersion("m", 1, "broken", "graph")], "mnist")
    repository = OpenInferenceRepository(registry, control)

    assert repository.index(b"") == [{"name": "m", "version": "1", "state": "UNAVAILABLE", "reason": "broken"}]
    assert repository.index(b'{"ready": true}') == []


def test_the_index_says_how_an_unloaded_model_is_loaded_again() -> None:
    row = describe_state(UnloadedVersion("mnist", 2))

    assert row["state"] == "UNAVAILABLE"
    assert row["reason"] == "it was unloaded; POST /v2/repository/models/mnist/load loads it again"

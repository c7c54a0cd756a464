"""The client in Python that OpenAPI Generator makes from the description. The generator needs Java."""

import base64
import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import openapi_generator_cli
import pytest

from preprocessing.png import encode_png
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import RunningService

JAR = Path(openapi_generator_cli.__file__).with_name("openapi-generator.jar")
TEXT = base64.b64encode(encode_png(tiny_image(1))).decode()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("java") is None, reason="OpenAPI Generator needs Java, which is not installed"),
]


@pytest.fixture(scope="module")
def client(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("openapi_generator")
    (folder / "openapi.json").write_text(json.dumps(document))
    command = ["java", "-jar", str(JAR), "generate", "-g", "python", "--package-name", "large_client"]
    command += ["-i", str(folder / "openapi.json"), "-o", str(folder)]
    subprocess.run(command, capture_output=True, check=True)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("large_client")
    sys.path.remove(str(folder))


@pytest.fixture
def connection(client: ModuleType, described: RunningService) -> Any:
    return client.ApiClient(client.Configuration(host=f"http://127.0.0.1:{described.port}"))


def test_it_reads_predictions(client: ModuleType, connection: Any) -> None:
    body = client.ImagesInJson(client.OneImage(image=TEXT))

    answer = client.PredictApi(connection).predict(body, top_k=2)

    assert isinstance(answer, client.Predictions)
    assert [each.label for each in answer.predictions] == ["middle"]
    assert len(answer.predictions[0].top_k) == 2


def test_it_reads_errors(client: ModuleType, connection: Any) -> None:
    with pytest.raises(client.ApiException) as error:
        client.PredictApi(connection).predict(client.ImagesInJson(client.OneImage(image="AAAA")))

    assert (error.value.status, error.value.data.code) == (400, "invalid_image")


def test_it_speaks_the_other_protocols(client: ModuleType, connection: Any) -> None:
    images = client.ServingPredictRequestInstances([client.ImageFile(b64=TEXT)])
    tensor = client.InferInput(name="image", datatype="BYTES", shape=[1], data=[client.TensorDataInner(TEXT)])

    row = client.TensorFlowServingAndKServeV1Api(connection).v1_predict(
        "mnist", client.ServingPredictRequest(instances=images)
    )
    tensors = client.OpenInferenceProtocolApi(connection).v2_infer("mnist", client.InferRequest(inputs=[tensor]))

    assert len(row.predictions[0]) == 3
    assert tensors.outputs[0].shape == [1, 3]

"""Clients that others' generators make from the description: they are imported, post images, and read typed answers."""

import base64
import importlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from preprocessing.png import encode_png
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import RunningService

PNG = encode_png(tiny_image(1))
TEXT = base64.b64encode(PNG).decode()
LABEL = "middle"


@pytest.fixture(scope="module")
def file(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("description") / "openapi.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture(scope="module")
def generated(file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of openapi-python-client's client, and what the generator said."""
    folder = tmp_path_factory.mktemp("openapi_python_client")
    config = folder / "config.yml"
    config.write_text("post_hooks: []\n")  # it would format the code
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta=none", f"--config={config}"]
    command += [f"--path={file}", f"--output-path={folder / 'small_client'}"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return folder, run.stdout + run.stderr


@pytest.fixture(scope="module")
def client(generated: tuple[Path, str]) -> Iterator[ModuleType]:
    folder, _ = generated
    sys.path.insert(0, str(folder))
    yield importlib.import_module("small_client")
    sys.path.remove(str(folder))


def post(client: ModuleType, described: RunningService, operation: str, *path: object, **arguments: object) -> Any:
    """Call an operation, `<module>.<name>`, of the client."""
    module = importlib.import_module(f"small_client.api.{operation}")
    with client.Client(f"http://127.0.0.1:{described.port}") as connection:
        return module.sync(*path, client=connection, **arguments)


def models() -> Any:
    return importlib.import_module("small_client.models")


def part(content: bytes, name: str | None = None) -> Any:
    return importlib.import_module("small_client.types").File(io.BytesIO(content), name, "image/png")


def test_a_generator_leaves_nothing_out_but_bytes_under_other_names(generated: tuple[Path, str]) -> None:
    """It sends image files as application/octet-stream, which the service takes as well."""
    _, said = generated
    left_out = [line for line in said.splitlines() if line.startswith(("Unsupported", "Cannot", "Unable", "Failure"))]

    assert left_out
    assert [line for line in left_out if not line.startswith("Unsupported content type ")] == []
    assert {line.split()[-1].split("/")[0] for line in left_out} == {"image", "application", "text"}


@pytest.mark.parametrize(
    ("body", "images"),
    [
        pytest.param(lambda: models().OneImage(image=TEXT), 1, id="one image in JSON"),
        pytest.param(lambda: models().SeveralImages(images=[TEXT, TEXT], top_k=1), 2, id="two images in JSON"),
        pytest.param(lambda: models().PixelArrays(instances=tiny_image(1)[None].tolist()), 1, id="pixels in JSON"),
        pytest.param(lambda: part(PNG), 1, id="bytes"),
        pytest.param(lambda: models().Form(file=[part(PNG, "a.png"), part(PNG, "b.png")]), 2, id="a form"),
    ],
)
def test_a_generated_client_reads_typed_predictions(
    client: ModuleType, described: RunningService, body: Any, images: int
) -> None:
    answer = post(client, described, "predict.predict", body=body())

    assert isinstance(answer, models().Predictions)
    assert [each.label for each in answer.predictions] == [LABEL] * images
    assert all(isinstance(each.top_k[0], models().RankedClass) for each in answer.predictions)


def test_a_generated_client_reads_errors(client: ModuleType, described: RunningService) -> None:
    answer = post(client, described, "predict.predict_with_model", "absent", body=part(PNG))

    assert isinstance(answer, models().Error)
    assert answer.code == "model_not_found"
    assert "absent" in answer.error


def test_a_generated_client_speaks_the_other_protocols(client: ModuleType, described: RunningService) -> None:
    one, two = "tensor_flow_serving_and_k_serve_v_1", "open_inference_protocol"
    instances = models().ServingPredictRequest(instances=[models().ImageFile(b64=TEXT)])
    tensor = models().InferInput("image", models().InferInputDatatype.BYTES, [1], data=[TEXT])

    row = post(client, described, f"{one}.v_1_predict", "mnist", body=instances)
    tensors = post(client, described, f"{two}.v_2_infer", "mnist", body=models().InferRequest(inputs=[tensor]))

    assert isinstance(row, models().ServingPredictResponse)
    assert isinstance(tensors, models().InferResponse)
    assert tensors.outputs[0].data == row.predictions[0]

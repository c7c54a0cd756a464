"""Models that other tools trained and exported, imported and served: every protocol gives the graph's own results."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto

from modelrepo.metadata import ParameterCounts
from modelrepo.reader import read_version
from modelrepo.repository import ModelRepository
from tests.support.bundles.third_party import Kind, classifier
from tests.support.http import protocols
from tests.support.http.openapi import conforms, resolve
from tests.support.http.protocols import Classify, Rows, Served
from tests.support.images.drawn import Pixels
from tests.support.images.photographs import SIDE, Photographs, read_photographs
from tests.support.processes.service import RunningService, running
from training.cli.main import main

pytestmark = pytest.mark.data

COUNT = 6  # photographs: more than a batch of four
MEAN, STD = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))
BLUE, GREEN, RED = 103.939, 116.779, 123.68  # the means that Caffe's networks subtract
IMAGENET = Kind(SIDE, classes=1000)

Prepare = Callable[[Pixels], NDArray[Any]]


@dataclass(frozen=True)
class Foreign:
    """A graph, how it is imported, and by hand what the command has to find out."""

    kind: Kind
    options: Sequence[str]
    prepare: Prepare


def as_imagenet(images: Pixels) -> NDArray[np.float32]:
    return np.asarray((images / 255 - MEAN) / STD, np.float32).transpose(0, 3, 1, 2)


def as_caffe(images: Pixels) -> NDArray[np.float32]:
    return np.asarray(images[..., ::-1] - np.array((BLUE, GREEN, RED)), np.float32).transpose(0, 3, 1, 2)


FOREIGN = {
    "pytorch": Foreign(IMAGENET, ["--preset", "imagenet", "--labels", "{labels}"], as_imagenet),
    "one": Foreign(Kind(SIDE, 7, batch=1, seed=2), ["--preset", "imagenet"], as_imagenet),
    "four": Foreign(Kind(SIDE, 7, batch=4, seed=3), ["--preset", "imagenet"], as_imagenet),
    "caffe": Foreign(
        Kind(SIDE, 7, ending=("Softmax",), gain=1 / 64, seed=4),
        ["--scale", "1", "--mean", f"{BLUE},{GREEN},{RED}", "--color", "bgr"],
        as_caffe,
    ),
    "bytes": Foreign(
        Kind(SIDE, 7, dtype=TensorProto.UINT8, layout="NHWC", seed=5), ["--fit", "crop"], lambda images: images
    ),
}
OF_KERAS = {
    "keras": ["--scale", "1/127.5", "--mean", "1"],
    "unfolded": ["--scale", "1/127.5", "--mean", "1", "--output", "logits"],
}
NAMES = [*FOREIGN, *OF_KERAS]


@pytest.fixture(scope="session")
def photographs(data_folder: Path) -> Photographs:
    return read_photographs(data_folder, COUNT)


@pytest.fixture(scope="session")
def keras_network(photographs: Photographs) -> Any:
    from tests.support.bundles.keras_applications import mobilenet  # noqa: PLC0415  # TensorFlow takes seconds: only where it is run

    return mobilenet(photographs.pixels)


@pytest.fixture(scope="session")
def files(photographs: Photographs, keras_network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What somebody was given: ONNX files, and labels beside one."""
    from tests.support.bundles.keras_applications import export, unfolded  # noqa: PLC0415  # likewise

    folder = tmp_path_factory.mktemp("files")
    (folder / "labels.txt").write_text("\n".join(photographs.labels) + "\n")
    (folder / "keras.onnx").write_bytes(export(keras_network))
    (folder / "unfolded.onnx").write_bytes(unfolded(keras_network))
    for name, foreign in FOREIGN.items():
        (folder / f"{name}.onnx").write_bytes(classifier(foreign.kind).SerializeToString())
    return folder


@pytest.fixture(scope="session")
def imported(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository after the commands."""
    models = tmp_path_factory.mktemp("imported")
    options = {name: foreign.options for name, foreign in FOREIGN.items()}
    for name, given in {**options, **OF_KERAS}.items():
        arguments = [option.format(labels=files / "labels.txt") for option in given]
        assert main(["import", str(files / f"{name}.onnx"), "--models", str(models), *arguments]) == 0
    return models


@pytest.fixture(scope="module")
def service(imported: Path) -> Iterator[RunningService]:
    with running(imported) as service:
        yield service


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def served(name: str, service: RunningService, imported: Path) -> Served:
    return Served(service, read_version(ModelRepository(imported), name, 1).metadata)


@pytest.fixture(scope="session")
def references(photographs: Photographs, keras_network: Any, files: Path) -> dict[str, Rows]:
    """What each network says to the photographs, by the framework or by ONNX Runtime alone."""
    from tests.support.bundles.keras_applications import to_unit  # noqa: PLC0415  # likewise

    by_hand = {name: run_by_hand(files / f"{name}.onnx", foreign, photographs) for name, foreign in FOREIGN.items()}
    by_keras = keras_network.predict(to_unit(photographs.pixels), verbose=0)
    return {**by_hand, **dict.fromkeys(OF_KERAS, by_keras)}


def run_by_hand(path: Path, foreign: Foreign, photographs: Photographs) -> Rows:
    """Each photograph alone, as often as the graph's batch axis wants it."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    times = foreign.kind.batch if isinstance(foreign.kind.batch, int) else 1
    tensors = [np.repeat(foreign.prepare(image[None]), times, axis=0) for image in photographs.pixels]
    scores = np.stack([session.run(None, {"input.1": tensor})[0][0] for tensor in tensors]).astype(np.float64)
    if foreign.kind.ending:
        return scores
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def test_the_photographs_get_different_labels_from_every_network(references: dict[str, Rows], name: str) -> None:
    rows = references[name]

    assert np.ptp(rows, axis=0).max() > 0.05  # else the comparisons below would say little


@pytest.mark.parametrize("ask", protocols.ALL_PROTOCOLS, ids=lambda ask: ask.__name__)
def test_every_protocol_gives_the_networks_own_probabilities(
    served: Served, photographs: Photographs, references: dict[str, Rows], ask: Classify
) -> None:
    reference = references[served.metadata.name]

    rows = ask(served, photographs)

    assert rows == pytest.approx(reference, rel=1e-4, abs=1e-6)  # Triton writes the scores of classes with six decimals
    assert rows.argmax(axis=1).tolist() == reference.argmax(axis=1).tolist()


def test_a_label_of_the_file_is_what_clients_read(
    service: RunningService, photographs: Photographs, references: dict[str, Rows]
) -> None:
    response = service.post("/models/pytorch/predict", photographs.files[0]).json()

    best = int(references["pytorch"][0].argmax())
    assert response["predictions"][0]["label"] == photographs.labels[best]
    assert response["predictions"][0]["index"] == best


DOCUMENTS = [
    "/models",
    "/models/{name}",
    "/models/{name}/versions/{version}",
    "/models/{name}/summary",
    "/summary?model={name}",
    "/v1/models/{name}",
    "/v1/models/{name}/metadata",
    "/v2/models/{name}",
    "/v2/models/{name}/config",
]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_the_metadata_of_an_imported_model_is_as_described(served: Served, path: str) -> None:
    described = served.service.get("/openapi.json").json()
    metadata = served.service.get(path.format(name=served.metadata.name, version=1))

    response = resolve(described, described["paths"][path.partition("?")[0]]["get"]["responses"]["200"])
    assert metadata.status == 200
    assert conforms(described, response["content"]["application/json"]["schema"], metadata.json())


def test_its_ends_are_pixels_and_probabilities_under_its_own_names(served: Served) -> None:
    metadata = served.service.get(f"/v2/models/{served.metadata.name}").json()

    (source,), (target,) = metadata["inputs"], metadata["outputs"]
    assert (source["name"], target["name"]) == (served.metadata.input.name, served.metadata.output.name)
    assert (source["datatype"], source["shape"]) == ("UINT8", [-1, SIDE, SIDE, 3])
    assert target["shape"] == [-1, served.metadata.output.classes]


def test_its_layers_print(served: Served) -> None:
    text = served.service.get(f"/models/{served.metadata.name}/summary?format=text").body.decode()

    layers = served.metadata.layers
    assert [line for line in text.splitlines() if f" {layers[-1].name} ({layers[-1].type}) " in line]
    assert f" Total params: {served.metadata.parameters.total:,} " in text


MOBILENET = 300_774_272  # multiply-adds of MobileNetV2, which its authors give as 300 million


def test_a_network_of_keras_written_layer_by_layer_has_the_numbers_that_keras_counts(imported: Path) -> None:
    metadata = read_version(ModelRepository(imported), "unfolded", 1).metadata

    assert metadata.parameters == ParameterCounts(3_538_984, 3_504_872, 34_112)
    assert sum(layer.multiply_adds for layer in metadata.layers) == MOBILENET


def test_where_the_exporter_folded_normalizations_the_graphs_own_counts_are_given(imported: Path) -> None:
    metadata = read_version(ModelRepository(imported), "keras", 1).metadata

    kernels, dense, biases, factors = 2_125_536 + 64_224, 1_281_000, 17_056, 7_136  # behind depthwise ones, unfolded
    total = kernels + dense + biases + factors
    assert metadata.parameters == ParameterCounts(total, total, 0)
    assert sum(layer.multiply_adds for layer in metadata.layers) == MOBILENET

"""The models of this repository, served with the defaults: their results are Keras's."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelrepo.golden import read_golden
from preprocessing.png import encode_png
from tests.support.http.raw_client import RawConnection, request
from tests.support.processes.service import ROOT, RunningService, running

MODELS = ROOT / "models"
IMAGES = 500


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    with running(MODELS) as service:
        yield service


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_the_golden_images_are_answered_with_what_keras_gave(service: RunningService, name: str, version: int) -> None:
    golden = read_golden(MODELS / name / f"{version}")
    for image in golden.images:
        path = f"/models/{name}/versions/{version}/predict?top_k=10"
        response = service.post(path, npy(image.content), content_type="application/x-npy").json()

        (prediction,) = response["predictions"]
        found = {each["index"]: each["probability"] for each in prediction["top_k"]}
        assert [found[n] for n in range(10)] == pytest.approx(image.probabilities, abs=golden.tolerance)


def npy(png: bytes) -> bytes:
    """The pixels of an image as NumPy's file: in a picture the models of handwriting would look for strokes."""
    pixels, stream = np.asarray(Image.open(io.BytesIO(png))), io.BytesIO()
    np.save(stream, pixels.reshape(1, *pixels.shape[:2], -1))
    return stream.getvalue()


@pytest.mark.parametrize(("name", "total"), [("mnist", 50_186), ("cifar10", 60_362)])
def test_the_summary_of_the_first_is_the_textbooks(service: RunningService, name: str, total: int) -> None:
    document = service.get(f"/models/{name}/summary?version=1").json()
    text = service.get(f"/models/{name}/summary?version=1", accept="text/plain").body.decode()

    assert document["parameters"]["total"] == total
    assert f" Total params: {total:,} " in text
    assert [layer["type"] for layer in document["layers"]] == [
        "Conv2D",
        "MaxPooling2D",
        "Conv2D",
        "MaxPooling2D",
        "Flatten",
        "Dense",
    ]


def test_a_digit_needs_no_model_name_and_is_answered_by_the_better_version(service: RunningService) -> None:
    response = service.post("/predict", read_golden(MODELS / "mnist" / "2").images[0].content).json()

    assert (response["model_name"], response["model_version"]) == ("mnist", 2)


@pytest.mark.data
def test_real_digits_get_the_label_that_keras_gave(service: RunningService, data_folder: Path) -> None:
    images = np.load(data_folder / "mnist.npz")["x_test"][:IMAGES]
    expected = np.load(MODELS / "mnist" / "2" / "predictions.npy")[:IMAGES]
    labels = json.loads((MODELS / "mnist" / "2" / "metadata.json").read_text())["labels"]
    found = []
    with RawConnection(service.port) as connection:
        for image in images:
            connection.send(request("POST", "/models/mnist/predict?top_k=1", encode_png(image)))
            found.append(connection.response().json()["predictions"][0]["label"])

    assert found == [labels[index] for index in expected]


def ask(service: RunningService, model: str, image: bytes) -> str | None:
    """Why a model abstains from an image; None where it answers."""
    (prediction,) = service.post(f"/models/{model}/predict", image).json()["predictions"]
    reason: str | None = prediction.get("reason")
    assert prediction["abstained"] is (reason is not None)
    return reason


@pytest.mark.parametrize(
    "image",
    [np.full((60, 40, 3), 255), np.full((1, 1, 3), 90), np.zeros((28, 28))],
    ids=["a blank sheet", "one pixel", "black of the model's size"],
)
def test_a_sheet_without_ink_is_no_digit(
    service: RunningService, image: np.ndarray[tuple[int, ...], np.dtype[np.int_]]
) -> None:
    assert ask(service, "mnist", encode_png(image.astype(np.uint8))) == "no_ink"


def test_noise_is_no_digit_and_a_digit_is_no_animal(service: RunningService) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (28, 28), np.uint8)
    digit = (ROOT / "docs" / "images" / "digit.png").read_bytes()

    assert ask(service, "mnist", encode_png(noise)) is not None
    assert ask(service, "mnist", digit) is None
    assert ask(service, "cifar10", digit) == "unlike_training"

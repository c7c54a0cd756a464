import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modelrepo.reader import Bundle, read_bundle
from modelrepo.repository import ModelRepository
from service.codecs.limits import Limits
from service.inference.predictor import Predictor
from service.inference.runtime import load_model
from service.lifecycle.bundle_loader import GoldenMismatch, verify_golden
from tests.training.conftest import draw_dataset, make_run
from tests.training.service_double import serve
from training.cli.main import main
from training.data.specs import MNIST
from training.errors import NotWorthwhile
from training.evaluation.onnx_inference import open_graph
from training.evaluation.test_split import read_predictions
from training.export.int8 import TOLERANCE, Int8
from training.export.outlier_output import append_energy
from training.export.to_onnx import to_onnx
from training.models.architectures import Textbook
from training.models.build import Network, build
from training.models.saving import load_network
from training.run import Run
from training.train import TrainOptions, publish_model, train

Contents = Callable[[Path], dict[str, bytes]]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that tells the squares apart, as a Keras file; not to be changed."""
    folder = tmp_path_factory.mktemp("saved")
    run = make_run(draw_dataset(MNIST), ModelRepository(folder / "models"))
    train(replace(run, recipe=replace(run.recipe, epochs=4)), TrainOptions(save=folder / "digits.keras"))
    return folder / "digits.keras"


@pytest.fixture(scope="module")
def network(saved: Path) -> Network:
    return load_network(saved)


@pytest.fixture(scope="module")
def published(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the network in eight bits, found to be twice as fast; not to be changed."""
    run = make_run(draw_dataset(MNIST), ModelRepository(tmp_path_factory.mktemp("int8")))
    return publish_model(run, network, run.dataset.train, run.dataset.test, int8=Int8(time=faster))


@pytest.fixture
def bundle(published: Path, repository: ModelRepository) -> Path:
    shutil.copytree(published.parents[1], repository.root)
    return repository.path("digits", 1)


def test_a_graph_that_is_slower_is_compared_and_not_published(
    run: Run, network: Network, contents: Contents, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotWorthwhile, match=r"is 0\.50 times as fast here"):
        publish_model(run, network, run.dataset.train, run.dataset.test, int8=Int8(time=slower))

    assert "0.50 times as fast" in capsys.readouterr().out
    assert not contents(run.repository.root)


def test_a_graph_that_is_worse_is_compared_and_not_published(
    run: Run, network: Network, contents: Contents, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotWorthwhile, match="points of accuracy"):
        publish_model(run, network, run.dataset.train, run.dataset.test, int8=Int8(quantize=another, time=faster))

    assert "2.00 times as fast" in capsys.readouterr().out
    assert not contents(run.repository.root)


def test_a_graph_that_is_faster_and_as_good_is_published_with_its_own_answers(published: Path, run: Run) -> None:
    bundle = read_bundle(published)
    answered = open_graph(bundle.model)(run.dataset.test.images)

    assert np.array_equal(read_predictions(published), answered.argmax(axis=1))
    assert bundle.metadata.evaluation["correct"] == (answered.argmax(axis=1) == run.dataset.test.labels).sum()
    assert bundle.golden.tolerance == TOLERANCE


def test_the_metadata_says_that_it_is_quantised_and_is_not_kerass_equal(published: Path) -> None:
    metadata = read_bundle(published).metadata
    told = metadata.training["quantisation"]

    assert told["comparison"]["ratio"] == 2
    assert told["comparison"]["int8"]["size"] < metadata.files["model.onnx"].size  # which has the outlier score, too
    assert told["calibration"] == {"split": "train", "images": 120}
    assert metadata.parity["largest_difference"] == told["comparison"]["largest_difference"]
    assert metadata.parity["largest_difference"] > told["float32_parity"]["tolerance"]
    assert "tolerance" not in metadata.parity


def test_it_verifies_and_a_service_is_compared_with_its_own_answers(
    bundle: Path, arrays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = open_graph(bundle / "model.onnx")
    options = ["--data", str(arrays), "--models", str(bundle.parents[1])]

    verified = main(["verify", str(bundle), "--data", str(arrays)])
    with serve(graph) as url:
        evaluated = main(["evaluate", url, "--model", "digits", *options])

    out = capsys.readouterr().out
    assert (verified, evaluated) == (0, 0)
    assert "40 test images with the eight-bit graph's label each" in out
    assert "The service answers as the eight-bit graph did." in out


def test_the_service_replays_and_serves_it(published: Path) -> None:
    bundle = read_bundle(published)

    verify_golden(bundle.golden, predictor(bundle, bundle.model))


def test_the_service_refuses_other_weights_in_its_place(published: Path, tmp_path: Path) -> None:
    bundle = read_bundle(published)
    other = to_onnx(build(Textbook(), (28, 28, 1), 10, "network"))
    (tmp_path / "other.onnx").write_bytes(append_energy(other, bundle.metadata.output.name))

    with pytest.raises(GoldenMismatch):
        verify_golden(bundle.golden, predictor(bundle, tmp_path / "other.onnx"))


def test_the_command_prints_the_comparison_and_publishes_or_says_why_not(
    saved: Path, arrays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "models"
    options = ["--recipe", "mnist", "--int8", "--data", str(arrays), "--models", str(models)]

    status = main(["export", str(saved), *options])

    said = capsys.readouterr()
    assert "float32         int8" in said.out
    assert (models / "mnist" / "1").is_dir() == (status == 0)
    assert ("in eight bits the network" in said.err) == (status == 1)


def predictor(bundle: Bundle, graph: Path) -> Predictor:
    metadata = bundle.metadata
    model = load_model(graph, metadata.input, metadata.output, threads=1)
    return Predictor(metadata, "", model, Limits(10_000, 10_000, 8))


def faster(*_: object) -> tuple[float, float]:
    return 0.002, 0.001


def slower(*_: object) -> tuple[float, float]:
    return 0.001, 0.002


def another(*_: object) -> bytes:
    """A graph with other weights, as a faulty quantisation would write it."""
    return to_onnx(build(Textbook(), (28, 28, 1), 10, "network"))

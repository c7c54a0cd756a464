from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modelrepo.metadata import Metadata
from modelrepo.reader import read_bundle
from modelrepo.repository import ModelRepository
from training.data.splits import split_validation, take
from training.errors import InvalidNetwork, ParityFailed
from training.evaluation.onnx_inference import open_graph
from training.evaluation.test_split import read_predictions
from training.export.to_onnx import to_onnx
from training.models.architectures import Textbook
from training.models.build import Network, build
from training.models.saving import load_network
from training.run import Run
from training.train import TrainOptions, publish_model, train

Contents = Callable[[Path], dict[str, bytes]]


def test_a_run_publishes_a_bundle_that_verifies(bundle: Path, run: Run) -> None:
    published = read_bundle(bundle).metadata

    assert (published.name, published.version) == ("digits", 1)
    assert {"model.onnx", "predictions.npy", "training.png", "confusion.png"} <= published.files.keys()
    assert published.parity["images"] > len(run.dataset.test)


def test_the_metadata_tells_the_run(bundle: Path, run: Run) -> None:
    told = read_bundle(bundle).metadata

    assert told.training["command"] == run.command
    assert told.training["seed"] == run.recipe.seed
    assert told.training["dataset"]["splits"]["test"] == {"examples": 40, "sha256": run.dataset.test.digest}
    assert len(told.training["history"]["val_accuracy"]) == 1
    assert told.evaluation["correct"] / told.evaluation["examples"] == told.evaluation["accuracy"]


def test_the_model_abstains_from_what_is_unlike_its_training(bundle: Path, run: Run) -> None:
    published = read_bundle(bundle).metadata

    figures = published.evaluation["abstention"]
    assert published.output.outlier_output == "outlier_score"
    assert figures["share"] == run.recipe.outlier_share
    assert figures["validation"]["right_answers_lost"] <= 0.5  # of a few images
    assert figures["noise"]["abstained"] == 1


def test_a_model_without_held_out_images_has_no_outlier_score(run: Run, network: Network) -> None:
    nothing = take(run.dataset.train, np.arange(0))

    published = read_bundle(publish_model(run, network, run.dataset.train, nothing)).metadata

    assert published.output.outlier_output is None
    assert "abstention" not in published.evaluation


def test_the_predictions_are_those_of_the_graph(bundle: Path, run: Run) -> None:
    scores = open_graph(bundle / "model.onnx")(run.dataset.test.images)

    assert np.array_equal(read_predictions(bundle), scores.argmax(axis=1))


def test_the_next_run_publishes_the_next_version_beside_the_first(bundle: Path, run: Run, contents: Contents) -> None:
    before = contents(bundle)

    published = train(run)

    assert published == bundle.parent / "2"
    assert contents(bundle) == before


def test_a_seed_makes_a_run_repeatable_to_the_last_bit(bundle: Path, run: Run) -> None:
    again = train(run)
    other = train(replace(run, recipe=replace(run.recipe, seed=2)))

    scores = [open_graph(path / "model.onnx")(run.dataset.test.images).tobytes() for path in (bundle, again, other)]
    assert scores[0] == scores[1] != scores[2]


@pytest.mark.usefixtures("bundle")
def test_a_failed_parity_publishes_nothing(run: Run, network: Network, contents: Contents) -> None:
    before = contents(run.repository.root)

    with pytest.raises(ParityFailed):
        publish_model(run, network, run.dataset.train, run.dataset.test, export=export_another)

    assert contents(run.repository.root) == before


@pytest.mark.usefixtures("bundle")
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["disk", "key"])
def test_a_full_disk_or_ctrl_c_leaves_the_repository_as_it_was(
    run: Run, network: Network, contents: Contents, failure: BaseException
) -> None:
    before = contents(run.repository.root)

    with pytest.raises(type(failure)):
        publish_model(replace(run, publish=failing(failure)), network, run.dataset.train, run.dataset.test)

    assert contents(run.repository.root) == before
    assert [path.name for path in run.repository.root.iterdir()] == ["digits"]


def test_a_saved_network_is_published_by_the_same_steps(run: Run, tmp_path: Path) -> None:
    trained = read_bundle(train(run, TrainOptions(save=tmp_path / "digits.keras")))

    splits = split_validation(run.dataset, run.recipe.validation_split, run.recipe.seed)
    exported = read_bundle(publish_model(run, load_network(tmp_path / "digits.keras"), *splits))

    assert exported.metadata.version == 2
    assert exported.metadata.evaluation == trained.metadata.evaluation
    assert "training.png" not in exported.metadata.files


def test_a_network_of_another_shape_is_refused(run: Run) -> None:
    with pytest.raises(InvalidNetwork, match="choose the recipe that it was trained by"):
        publish_model(run, build(Textbook(), (32, 32, 3), 10, "network"), run.dataset.train, run.dataset.test)


@pytest.fixture
def network() -> Network:
    return build(Textbook(), (28, 28, 1), 10, "network")


def export_another(network: Network) -> bytes:
    """A graph with other weights than the network's, as a faulty converter would write it."""
    return to_onnx(build(Textbook(), network.input_shape[1:], 10, "network"))


def failing(failure: BaseException) -> Callable[[ModelRepository, Path, Metadata], Path]:
    """A publisher that ends in the middle of its work."""

    def publish(_repository: ModelRepository, staged: Path, _metadata: Metadata) -> Path:
        (staged / "metadata.json").write_text("the first half")
        raise failure

    return publish

"""The bundles that this project ships."""

import json
from pathlib import Path

import pytest

from modelrepo.reader import Bundle, read_bundle
from modelrepo.repository import METADATA
from training.data.load import read_split
from training.data.specs import SPECS
from training.evaluation.onnx_inference import open_graph
from training.evaluation.verify import check_labels, replay_bundle

MODELS = Path(__file__).parents[3] / "models"
DATA = {"mnist": "mnist.npz", "cifar10": "cifar10.tar.gz"}


# What the textbook's networks are known to reach, and what the strong ones are for.
REACHED = {"mnist/1": 0.9775, "mnist/2": 0.996, "cifar10/1": 0.5565, "cifar10/2": 0.90}
LARGEST = 10_000_000  # bytes of a graph that still belongs into a repository of code


@pytest.fixture(params=sorted(REACHED))
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return read_bundle(MODELS / request.param)


def test_a_shipped_bundle_verifies(bundle: Bundle) -> None:
    replayed = replay_bundle(bundle, open_graph(bundle.model))

    assert replayed.images == 8


def test_a_shipped_bundle_reaches_its_figure(bundle: Bundle) -> None:
    expected = REACHED[f"{bundle.metadata.name}/{bundle.metadata.version}"]

    assert bundle.metadata.evaluation["accuracy"] >= expected
    assert bundle.metadata.training["seed"] == 1
    assert bundle.model.stat().st_size < LARGEST


def test_a_shipped_bundle_tells_nothing_of_the_machine_it_was_made_on(bundle: Bundle) -> None:
    assert "/" not in bundle.metadata.training["command"]


def test_a_shipped_bundles_metadata_is_written_as_it_was_read(bundle: Bundle) -> None:
    written = json.dumps(bundle.metadata.to_json(), indent=1, ensure_ascii=False) + "\n"

    assert written == (bundle.path / METADATA).read_text()


@pytest.mark.data
def test_a_shipped_bundle_gives_keras_label_on_the_whole_real_test_split(bundle: Bundle, data_folder: Path) -> None:
    name = bundle.metadata.name
    test = read_split(SPECS[name], data_folder / DATA[name], "test")

    right = check_labels(bundle, open_graph(bundle.model), test)

    assert right == bundle.metadata.evaluation["correct"]

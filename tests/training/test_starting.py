from pathlib import Path

import numpy as np
import pytest

from modelrepo.reader import read_bundle
from training.architectures import Textbook
from training.course import Course
from training.errors import InvalidNetwork
from training.fitting import fit, seed_everything
from training.learning import train
from training.networks import Network, build
from training.run import Run, build_network
from training.starting import Start, read_start, take_over

SHAPE = (28, 28, 1)
DIGITS = tuple("0123456789")


def test_a_network_goes_on_from_a_bundle_where_it_ended(bundle: Path, run: Run) -> None:
    started, _ = learn(run, Course(start=read_start(bundle, run.recipe.architecture)))
    anew, _ = learn(run, Course())

    assert started < anew


def test_a_network_goes_on_from_a_file_where_it_ended(run: Run, tmp_path: Path) -> None:
    train(run, tmp_path / "digits.keras")

    started, _ = learn(run, Course(start=read_start(tmp_path / "digits.keras", run.recipe.architecture)))

    assert started < learn(run, Course())[0]


def test_the_weights_of_a_bundle_are_those_of_the_network(run: Run, tmp_path: Path) -> None:
    published = train(run, tmp_path / "digits.keras")

    read = read_start(published, run.recipe.architecture).network.get_weights()

    saved = read_start(tmp_path / "digits.keras", run.recipe.architecture).network.get_weights()
    # The graph has the first kernel divided by 255, which costs its last bit.
    assert all(np.allclose(mine, theirs, rtol=1e-6, atol=0) for mine, theirs in zip(read, saved, strict=True))


def test_the_metadata_tells_what_a_run_started_from(bundle: Path, run: Run) -> None:
    course = Course(start=read_start(bundle, run.recipe.architecture), freeze=True)

    told = read_bundle(train(run, course=course)).metadata.training["started_from"]

    digest = read_bundle(bundle).digest
    assert told == {"name": "digits", "version": 1, "sha256": digest, "frozen": True}


def test_other_classes_get_a_new_head(earlier: Network) -> None:
    network = build(Textbook(), SHAPE, 3, "network")
    head = network.layers[-1].get_weights()

    take_over(Start(earlier, DIGITS), network, ("a", "b", "c"), freeze=False)

    assert same(network.layers[0].get_weights(), earlier.layers[0].get_weights())
    assert same(network.layers[-1].get_weights(), head)


@pytest.mark.parametrize(
    ("labels", "kept"), [(DIGITS, True), (None, True), (tuple("abcdefghij"), False)], ids=["same", "unknown", "other"]
)
def test_the_head_is_kept_for_the_same_classes(earlier: Network, labels: tuple[str, ...] | None, kept: bool) -> None:
    network = build(Textbook(), SHAPE, 10, "network")

    take_over(Start(earlier, labels), network, DIGITS, freeze=False)

    assert same(network.layers[-1].get_weights(), earlier.layers[-1].get_weights()) == kept


def test_a_frozen_network_learns_with_its_head_alone(earlier: Network, run: Run) -> None:
    _, network = learn(run, Course(start=Start(earlier), freeze=True))

    assert same(network.layers[0].get_weights(), earlier.layers[0].get_weights())
    assert not same(network.layers[-1].get_weights(), earlier.layers[-1].get_weights())


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (build(Textbook(), (32, 32, 3), 10, "other"), "takes images of 32×32×3, the recipe's 28×28×1"),
        (build(Textbook(filters=(32, 32)), SHAPE, 10, "other"), "another architecture"),
        (build(Textbook(pooling="average"), SHAPE, 10, "other"), "another architecture"),
    ],
    ids=["size", "filters", "pooling"],
)
def test_a_network_that_does_not_fit_is_refused(other: Network, sentence: str) -> None:
    with pytest.raises(InvalidNetwork, match=sentence):
        take_over(Start(other), build(Textbook(), SHAPE, 10, "network"), DIGITS, freeze=False)


@pytest.fixture
def earlier() -> Network:
    return build(Textbook(), SHAPE, 10, "earlier")


def learn(run: Run, course: Course) -> tuple[float, Network]:
    """The loss of one epoch, and the network."""
    seed_everything(run.recipe.seed)
    network = build_network(run.recipe, "network")
    course.begin(network, run.dataset.spec.labels)
    return fit(network, run.recipe, run.dataset.train, 0).history["loss"][0], network


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))

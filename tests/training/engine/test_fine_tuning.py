from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from modelrepo.reader import read_bundle
from training.data.splits import hold_out
from training.engine.fine_tuning import Pretrained, load_pretrained, transfer_weights
from training.errors import InvalidNetwork
from training.models.architectures import Architecture, ResNet, ResNet9, Textbook
from training.models.build import Network, build
from training.run import Run
from training.train import TrainOptions, fit_model, train

SHAPE = (28, 28, 1)
DIGITS = tuple("0123456789")

KINDS = pytest.mark.parametrize(
    ("architecture", "flip_tta"),
    [
        pytest.param(Textbook(), False, id="textbook"),
        pytest.param(ResNet9(stages=((4,),)), False, id="plain"),
        pytest.param(ResNet9(stages=((4,),)), True, id="plain mirrored"),
        pytest.param(ResNet(4, ((4, 1),)), False, id="residual"),
        pytest.param(ResNet(4, ((4, 1),)), True, id="residual mirrored"),
    ],
)


def test_a_network_goes_on_from_a_bundle_where_it_ended(bundle: Path, run: Run) -> None:
    started, _ = learn(run, TrainOptions(start=load_pretrained(bundle, run.recipe.architecture)))
    anew, _ = learn(run, TrainOptions())

    assert started < anew


@KINDS
def test_a_network_goes_on_from_a_file_where_it_ended(
    run: Run, tmp_path: Path, architecture: Architecture, flip_tta: bool
) -> None:
    run = replace(run, recipe=replace(run.recipe, architecture=architecture, flip_tta=flip_tta))
    train(run, TrainOptions(save=tmp_path / "digits.keras"))

    started, _ = learn(run, TrainOptions(start=load_pretrained(tmp_path / "digits.keras", architecture)))

    assert started < learn(run, TrainOptions())[0]


def test_the_weights_of_a_bundle_are_those_of_the_network(run: Run, tmp_path: Path) -> None:
    published = train(run, TrainOptions(save=tmp_path / "digits.keras"))

    read = load_pretrained(published, run.recipe.architecture).network.get_weights()

    saved = load_pretrained(tmp_path / "digits.keras", run.recipe.architecture).network.get_weights()
    # The graph has the first kernel divided by 255, which costs its last bit.
    assert all(np.allclose(mine, theirs, rtol=1e-6, atol=0) for mine, theirs in zip(read, saved, strict=True))


def test_the_metadata_tells_what_a_run_started_from(bundle: Path, run: Run) -> None:
    options = TrainOptions(start=load_pretrained(bundle, run.recipe.architecture), freeze=True)

    told = read_bundle(train(run, options)).metadata.training["started_from"]

    digest = read_bundle(bundle).digest
    assert told == {"name": "digits", "version": 1, "sha256": digest, "frozen": True}


@KINDS
@pytest.mark.parametrize("labels", [("a", "b", "c"), tuple("abcdefghij")], ids=["fewer", "as many"])
def test_other_classes_get_a_new_head(architecture: Architecture, flip_tta: bool, labels: tuple[str, ...]) -> None:
    earlier = build(architecture, SHAPE, 10, "earlier", flip_tta=flip_tta)
    network = build(architecture, SHAPE, len(labels), "network")
    drawn = head(network)

    transfer_weights(Pretrained(earlier, DIGITS), network, labels, freeze=False)

    assert same(body(network), body(earlier))
    assert same(head(network), drawn)


@KINDS
@pytest.mark.parametrize(
    ("labels", "kept"), [(DIGITS, True), (None, True), (tuple("abcdefghij"), False)], ids=["same", "unknown", "other"]
)
def test_the_head_is_kept_for_the_same_classes(
    architecture: Architecture, flip_tta: bool, labels: tuple[str, ...] | None, kept: bool
) -> None:
    earlier = build(architecture, SHAPE, 10, "earlier", flip_tta=flip_tta)
    network = build(architecture, SHAPE, 10, "network")

    transfer_weights(Pretrained(earlier, labels), network, DIGITS, freeze=False)

    assert same(head(network), head(earlier)) == kept


@KINDS
def test_a_frozen_network_learns_with_its_head_alone(run: Run, architecture: Architecture, flip_tta: bool) -> None:
    earlier = build(architecture, SHAPE, 10, "earlier", flip_tta=flip_tta)
    run = replace(run, recipe=replace(run.recipe, architecture=architecture, flip_tta=flip_tta))

    _, network = learn(run, TrainOptions(start=Pretrained(earlier), freeze=True))

    assert same(body(network), body(earlier))
    assert not same(head(network), head(earlier))


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (build(Textbook(), (32, 32, 3), 10, "other"), "takes images of 32×32×3, the recipe's 28×28×1"),
        (build(Textbook(filters=(32, 32)), SHAPE, 10, "other"), "another architecture"),
        (build(Textbook(pooling="average"), SHAPE, 10, "other"), "another architecture"),
        (build(ResNet9(stages=((4,),)), SHAPE, 10, "other"), "another architecture"),
        (keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten()]), "another architecture"),
    ],
    ids=["size", "filters", "pooling", "plain", "no weights"],
)
def test_a_network_that_does_not_fit_is_refused(other: Network, sentence: str) -> None:
    with pytest.raises(InvalidNetwork, match=sentence):
        transfer_weights(Pretrained(other), build(Textbook(), SHAPE, 10, "network"), DIGITS, freeze=False)


def learn(run: Run, options: TrainOptions) -> tuple[float, Network]:
    """The loss of one epoch, and the network."""
    network, fitted = fit_model(run, *hold_out(run.dataset.train, 0.1, 1), options)
    return fitted.history["loss"][0], network


def head(network: Network) -> list[np.ndarray]:
    """The kernel and the bias of the last dense layer, the last two of all weights."""
    return list(network.get_weights()[-2:])


def body(network: Network) -> list[np.ndarray]:
    return list(network.get_weights()[:-2])


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))

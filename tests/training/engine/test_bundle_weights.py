from dataclasses import replace
from pathlib import Path

import pytest

from modelrepo.reader import read_bundle
from training.engine.fine_tuning import load_bundle
from training.errors import InvalidNetwork
from training.models.architectures import ResNet9, Textbook
from training.run import Run
from training.train import train


def test_a_bundle_of_another_architecture_is_refused(bundle: Path) -> None:
    with pytest.raises(InvalidNetwork, match="another architecture"):
        load_bundle(read_bundle(bundle), Textbook(pooling="average"))


def test_a_graph_that_has_lost_its_normalisation_is_refused(run: Run) -> None:
    architecture = ResNet9(stages=((4,),))
    normalised = replace(run, recipe=replace(run.recipe, architecture=architecture))

    published = train(normalised)

    with pytest.raises(InvalidNetwork, match="train it with --save"):
        load_bundle(read_bundle(published), architecture)


def test_a_mirrored_graph_that_has_lost_its_normalisation_is_refused_for_that(run: Run) -> None:
    architecture = ResNet9(stages=((4,),))
    mirrored = replace(run, recipe=replace(run.recipe, architecture=architecture, flip_tta=True))
    published = train(mirrored)

    with pytest.raises(InvalidNetwork, match="train it with --save"):
        load_bundle(read_bundle(published), architecture)


def test_a_graph_in_eight_bits_is_refused(bundle: Path) -> None:
    read = read_bundle(bundle)
    training = {**read.metadata.training, "quantisation": {"weights": "int8"}}

    with pytest.raises(InvalidNetwork, match="weights in eight bits"):
        load_bundle(replace(read, metadata=replace(read.metadata, training=training)), Textbook())


def test_weights_that_do_not_give_the_golden_answers_are_refused(bundle: Path) -> None:
    read = read_bundle(bundle)
    wrong = replace(read.golden.images[0], probabilities=(1.0,) + (0.0,) * 9)
    golden = replace(read.golden, images=(wrong, *read.golden.images[1:]))

    with pytest.raises(InvalidNetwork, match="cannot be read back"):
        load_bundle(replace(read, golden=golden), Textbook())

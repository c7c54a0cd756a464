"""Experiments: their variants, and the result of one that is trained."""

import json
from dataclasses import asdict, replace

import pytest

from training.analysis.experiments import EXPERIMENTS, Experiment, Result, Variant, run_variant
from training.data.splits import Dataset
from training.engine.trainer import build_serving_model
from training.models.architectures import Textbook
from training.models.summary import count_parameters
from training.recipes import RECIPES, Recipe

SMALL = Variant("4 and 8", {"architecture": Textbook(filters=(4, 8))})
every_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS.keys())
every_image = pytest.mark.parametrize("recipe", [RECIPES["mnist"], RECIPES["cifar10"]], ids=["28×28×1", "32×32×3"])


@every_experiment
def test_variants_differ_in_one_thing_and_the_recipe_is_among_them(experiment: Experiment) -> None:
    recipe = RECIPES["mnist-strong" if experiment.name == "ablation" else "mnist"]

    varied = [asdict(variant.vary(recipe)) for variant in experiment.variants]

    own = asdict(recipe)
    different = [[name for name in own if fields[name] != own[name]] for fields in varied]
    assert max(map(len, different)) == 1
    assert [] in different


@every_experiment
@every_image
def test_every_variant_can_be_built_for_images_of_both_kinds(experiment: Experiment, recipe: Recipe) -> None:
    for variant in experiment.variants:
        assert count_parameters(build_serving_model(variant.vary(recipe), "digits")).total > 0


@every_experiment
def test_variants_have_different_names(experiment: Experiment) -> None:
    labels = [variant.label for variant in experiment.variants]

    assert len({*labels}) == len(labels)


@pytest.fixture
def recipe() -> Recipe:
    return replace(RECIPES["mnist"], epochs=1)


@pytest.fixture
def result(recipe: Recipe, dataset: Dataset) -> Result:
    return run_variant(SMALL, recipe, dataset, verbose=0)


def test_a_result_has_shape_parameters_and_cost_of_the_varied_network(result: Result) -> None:
    assert result.last_shape == (7, 7, 8)
    assert result.parameters == (9 + 1) * 4 + (9 * 4 + 1) * 8 + (7 * 7 * 8 + 1) * 10
    assert result.multiply_adds == 28 * 28 * 9 * 4 + 14 * 14 * 9 * 4 * 8 + 7 * 7 * 8 * 10


def test_its_record_has_the_run_and_the_figures(result: Result, dataset: Dataset) -> None:
    record = json.loads(json.dumps(result.to_json()))

    assert (record["variant"], record["epochs"], record["seed"]) == ("4 and 8", 1, 1)
    assert record["architecture"]["filters"] == [4, 8]
    assert record["test"]["examples"] == len(dataset.test)
    assert record["test"]["interval"][0] <= record["test"]["accuracy"] <= record["test"]["interval"][1]
    assert len(record["history"]["val_accuracy"]) == 1


def test_a_variant_gives_the_same_result_whatever_was_trained_before(
    result: Result, recipe: Recipe, dataset: Dataset
) -> None:
    again = run_variant(SMALL, recipe, dataset, verbose=0)

    assert again.fitted.history == result.fitted.history
    assert again.evaluation == result.evaluation

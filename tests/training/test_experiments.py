from dataclasses import asdict

import pytest

from training.experiments import EXPERIMENTS, Experiment
from training.layertable import count_parameters
from training.recipes import RECIPES, Recipe
from training.run import build_network

every_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS.keys())
every_recipe = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())


@every_experiment
def test_variants_differ_in_one_thing_and_the_recipe_is_among_them(experiment: Experiment) -> None:
    recipe = RECIPES["mnist"]

    varied = [asdict(variant.vary(recipe)) for variant in experiment.variants]

    own = asdict(recipe)
    different = {name for fields in varied for name in own if fields[name] != own[name]}
    assert len(different) == 1
    assert varied.count(own) == 1


@every_experiment
@every_recipe
def test_every_variant_of_every_recipe_can_be_built(experiment: Experiment, recipe: Recipe) -> None:
    for variant in experiment.variants:
        assert count_parameters(build_network(variant.vary(recipe), "digits")).total > 0


@every_experiment
def test_variants_have_names_of_their_own(experiment: Experiment) -> None:
    labels = [variant.label for variant in experiment.variants]

    assert len({*labels}) == len(labels)

from dataclasses import asdict

import pytest

from training.analysis.experiments import EXPERIMENTS, Experiment
from training.models.summary import count_parameters
from training.recipes import RECIPES, Recipe
from training.run import build_network

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
        assert count_parameters(build_network(variant.vary(recipe), "digits")).total > 0


@every_experiment
def test_variants_have_names_of_their_own(experiment: Experiment) -> None:
    labels = [variant.label for variant in experiment.variants]

    assert len({*labels}) == len(labels)

import json
from dataclasses import replace

import pytest

from training.analysis.experiments import Outcome, Variant, try_variant
from training.data.splits import Dataset
from training.models.architectures import Textbook
from training.recipes import RECIPES, Recipe

SMALL = Variant("4 and 8", {"architecture": Textbook(filters=(4, 8))})


@pytest.fixture
def recipe() -> Recipe:
    return replace(RECIPES["mnist"], epochs=1)


@pytest.fixture
def outcome(recipe: Recipe, dataset: Dataset) -> Outcome:
    return try_variant(SMALL, recipe, dataset, verbose=0)


def test_an_outcome_tells_shape_parameters_and_cost_of_the_varied_network(outcome: Outcome) -> None:
    assert outcome.last_shape == (7, 7, 8)
    assert outcome.parameters == (9 + 1) * 4 + (9 * 4 + 1) * 8 + (7 * 7 * 8 + 1) * 10
    assert outcome.multiply_adds == 28 * 28 * 9 * 4 + 14 * 14 * 9 * 4 * 8 + 7 * 7 * 8 * 10


def test_its_record_has_the_run_and_the_figures(outcome: Outcome, dataset: Dataset) -> None:
    record = json.loads(json.dumps(outcome.to_json()))

    assert (record["variant"], record["epochs"], record["seed"]) == ("4 and 8", 1, 1)
    assert record["architecture"]["filters"] == [4, 8]
    assert record["test"]["examples"] == len(dataset.test)
    assert record["test"]["interval"][0] <= record["test"]["accuracy"] <= record["test"]["interval"][1]
    assert len(record["history"]["val_accuracy"]) == 1


def test_a_variant_fares_alike_whatever_was_trained_before(outcome: Outcome, recipe: Recipe, dataset: Dataset) -> None:
    again = try_variant(SMALL, recipe, dataset, verbose=0)

    assert again.fitted.history == outcome.fitted.history
    assert again.evaluation == outcome.evaluation

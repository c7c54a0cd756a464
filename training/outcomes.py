"""What comes of a variant: its network trained by the recipe and evaluated on the test split."""

from dataclasses import dataclass
from typing import Any

from training.datasets import Dataset
from training.evaluation import Evaluation, evaluate
from training.experiments import Variant
from training.fitting import Fit, fit, seed_everything
from training.intervals import Interval, wilson_interval
from training.layertable import count_parameters, table_layers
from training.networks import Network
from training.provenance import describe_fit
from training.publishing import predict
from training.recipes import Recipe
from training.run import build_learner, finish


@dataclass(frozen=True)
class Outcome:
    """A trained variant's figures. `last_shape` is what is flattened for the dense layer: height, width, channels."""

    variant: Variant
    recipe: Recipe
    last_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    fitted: Fit
    evaluation: Evaluation

    @property
    def interval(self) -> Interval:
        """Where the accuracy on endless test images would probably be."""
        return wilson_interval(self.evaluation.correct, self.evaluation.examples)

    def to_json(self) -> dict[str, Any]:
        """The record as an experiment's file has it."""
        test = {name: getattr(self.evaluation, name) for name in ("examples", "correct", "accuracy", "loss")}
        return {
            "variant": self.variant.label,
            "last_shape": list(self.last_shape),
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "test": {**test, "interval": list(self.interval)},
            **describe_fit(self.recipe, self.fitted),
        }


def try_variant(variant: Variant, recipe: Recipe, dataset: Dataset, verbose: int) -> Outcome:
    """Train and evaluate; every variant starts from the recipe's seed. `verbose` is Keras's, as in `fit`."""
    varied = variant.vary(recipe)
    seed_everything(varied.seed)
    learned = build_learner(varied, recipe.name)
    fitted = fit(learned, varied, dataset.train, verbose)
    network = finish(varied, recipe.name, learned)
    return Outcome(
        variant=variant,
        recipe=varied,
        last_shape=_last_shape(network),
        parameters=count_parameters(network).total,
        multiply_adds=sum(layer.multiply_adds for layer in table_layers(network)),
        fitted=fitted,
        evaluation=evaluate(predict(network, dataset.test.images), dataset.test, dataset.spec.labels),
    )


def _last_shape(network: Network) -> tuple[int, ...]:
    """The last output that still has height and width."""
    *_, last = (layer.output.shape[1:] for layer in network.layers if len(layer.output.shape) == 4)
    return tuple(last)

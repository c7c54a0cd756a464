"""Experiments: networks that differ in one setting and are trained alike, to measure the effect of that setting."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from training.data.drawn.draw import Drawn, add_drawn
from training.data.splits import Dataset, split_validation
from training.engine.input_pipeline import predict
from training.engine.trainer import (
    Fit,
    build_serving_model,
    build_training_model,
    compile_model,
    fit,
    seed_everything,
)
from training.evaluation.metrics import Evaluation, Interval, evaluate, wilson_interval
from training.export.publish import describe_fit
from training.models.architectures import Textbook
from training.models.build import Network
from training.models.summary import count_parameters, table_layers
from training.recipes import Augmentation, Recipe


@dataclass(frozen=True)
class Variant:
    """Changes of a recipe's fields, and the name for them in tables and plots."""

    label: str
    changes: Mapping[str, Any]

    def vary(self, recipe: Recipe) -> Recipe:
        """The recipe with the variant's changes."""
        return replace(recipe, **self.changes)


@dataclass(frozen=True)
class Experiment:
    """Variants to compare, in the order of tables and plots; at most four."""

    name: str
    subject: str
    variants: tuple[Variant, ...]
    recipe: str = "mnist"  # where the command line names no other


@dataclass(frozen=True)
class Result:
    """A trained variant's metrics and costs; `last_shape`, [height, width, channels], is what the dense layer gets."""

    variant: Variant
    recipe: Recipe
    last_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    fitted: Fit
    evaluation: Evaluation

    @property
    def interval(self) -> Interval:
        """The 95 % confidence interval of the accuracy."""
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


def run_variant(variant: Variant, recipe: Recipe, dataset: Dataset, verbose: int) -> Result:
    """Train and evaluate; every variant starts from the recipe's seed. `verbose` is Keras's, as in `fit`."""
    varied = variant.vary(recipe)
    seed_everything(varied.seed)
    train, validation = split_validation(dataset, varied.validation_split, varied.seed)
    train = add_drawn(train, varied.drawn, varied.seed)
    trained = build_training_model(varied, recipe.name)
    compile_model(trained, varied, train)
    fitted = fit(trained, varied, train, validation, verbose=verbose)
    network = build_serving_model(varied, recipe.name, trained)
    return Result(
        variant=variant,
        recipe=varied,
        last_shape=_last_shape(network),
        parameters=count_parameters(network).total,
        multiply_adds=sum(layer.multiply_adds for layer in table_layers(network)),
        fitted=fitted,
        evaluation=evaluate(predict(network, dataset.test.images), dataset.test, dataset.spec.class_names),
    )


def _last_shape(network: Network) -> tuple[int, ...]:
    """The shape of the last output that has height and width."""
    *_, last = (layer.output.shape[1:] for layer in network.layers if len(layer.output.shape) == 4)
    return tuple(last)


_POOLING = Experiment(
    "pooling",
    "what pooling keeps of each 2×2 window",
    tuple(Variant(pooling, {"architecture": Textbook(pooling=pooling)}) for pooling in ("max", "average", "min")),
)
_STRIDES = Experiment(
    "strides",
    "how far the convolutions step",
    # 3 leaves 28 → 10 → 5 → 2 → 1: hardly a network any more.
    tuple(Variant(f"stride {strides}", {"architecture": Textbook(strides=strides)}) for strides in (1, 2)),
)
_PADDING = Experiment(
    "padding",
    "whether the convolutions see zeros around the image",
    tuple(Variant(padding, {"architecture": Textbook(padding=padding)}) for padding in ("same", "valid")),
)
_FILTERS = Experiment(
    "filters",
    "how many filters the two convolutions have",
    # Doubled each time, as in textbooks; the recipe's own are 32 and 64.
    tuple(
        Variant(f"{first} and {second}", {"architecture": Textbook(filters=(first, second))})
        for first, second in ((8, 16), (16, 32), (32, 64), (64, 128))
    ),
)

_ABLATION = Experiment(
    "ablation",
    "what a strong recipe gains by its parts",
    (
        Variant("the recipe", {}),
        Variant("undistorted", {"augmentation": Augmentation()}),
        Variant("nothing drawn", {"drawn": Drawn()}),
        Variant("constant rate", {"schedule": "constant"}),
        Variant("averaged weights", {"ema_momentum": 0.999}),  # over the last thousand steps or so
    ),
    recipe="mnist-strong",
)

EXPERIMENTS = {experiment.name: experiment for experiment in (_POOLING, _STRIDES, _PADDING, _FILTERS, _ABLATION)}

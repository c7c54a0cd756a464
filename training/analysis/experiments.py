"""Experiments: networks that differ in one thing and are trained alike, to see what that thing does."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from training.data.splits import Dataset
from training.engine.trainer import Fit, fit, seed_everything
from training.evaluation.metrics import Evaluation, Interval, evaluate, wilson_interval
from training.export.provenance import describe_fit
from training.export.publish import predict
from training.models.architectures import Textbook
from training.models.build import Network
from training.models.summary import count_parameters, table_layers
from training.recipes import Augmentation, Recipe
from training.run import build_learner, finish


@dataclass(frozen=True)
class Variant:
    """A recipe with some of its fields changed, and what people call that."""

    label: str
    changes: Mapping[str, Any]

    def vary(self, recipe: Recipe) -> Recipe:
        """The recipe with the variant's changes."""
        return replace(recipe, **self.changes)


@dataclass(frozen=True)
class Experiment:
    """Variants to compare, in the order in which tables and charts show them."""

    name: str
    subject: str
    variants: tuple[Variant, ...]
    recipe: str = "mnist"  # where no other is asked for


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
    # Doubled each time, as textbooks do; the recipe's own are 32 and 64.
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
        Variant("constant rate", {"schedule": "constant"}),
        Variant("averaged weights", {"averaging": 0.999}),  # over the last thousand steps or so
    ),
    recipe="mnist-strong",
)

EXPERIMENTS = {experiment.name: experiment for experiment in (_POOLING, _STRIDES, _PADDING, _FILTERS, _ABLATION)}


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
        evaluation=evaluate(predict(network, dataset.test.images), dataset.test, dataset.spec.class_names),
    )


def _last_shape(network: Network) -> tuple[int, ...]:
    """The last output that still has height and width."""
    *_, last = (layer.output.shape[1:] for layer in network.layers if len(layer.output.shape) == 4)
    return tuple(last)

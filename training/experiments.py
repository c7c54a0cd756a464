"""Experiments: networks that differ in one thing and are trained alike, to see what that thing does."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from training.architectures import Textbook
from training.augmentation import Augmentation
from training.recipes import Recipe


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

_CHOICES = Experiment(
    "choices",
    "what a strong recipe gains by its choices",
    (
        Variant("the recipe", {}),
        Variant("undistorted", {"augmentation": Augmentation()}),
        Variant("constant rate", {"schedule": "constant"}),
        Variant("averaged weights", {"averaging": 0.999}),  # over the last thousand steps or so
    ),
    recipe="mnist-strong",
)

EXPERIMENTS = {experiment.name: experiment for experiment in (_POOLING, _STRIDES, _PADDING, _FILTERS, _CHOICES)}

"""A training run: what is trained on what, and where it goes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modelrepo.metadata import Metadata
from modelrepo.repository import ModelRepository
from modelrepo.writer import publish
from training.data.splits import Dataset
from training.models.build import Network, build
from training.recipes import Recipe


@dataclass(frozen=True)
class Run:
    """One run. `verbose` is Keras's: 0 silent, 1 progress bars, 2 lines.

    Where `abstain_for` is given, the published model abstains as often as it takes for that share of its answers to be
    right.
    """

    recipe: Recipe
    dataset: Dataset
    repository: ModelRepository
    name: str
    command: str
    verbose: int = 0
    abstain_for: float | None = None
    publish: Callable[[ModelRepository, Path, Metadata], Path] = publish


def build_network(recipe: Recipe, name: str) -> Network:
    """The recipe's network as it is served, its weights drawn at random."""
    shape, classes = recipe.dataset.shape, len(recipe.dataset.class_names)
    return build(recipe.architecture, shape, classes, name, mirrored=recipe.mirrored)


def build_learner(recipe: Recipe, name: str) -> Network:
    """The same network as it learns: in the recipe's precision, and from each image by itself."""
    shape, classes = recipe.dataset.shape, len(recipe.dataset.class_names)
    return build(recipe.architecture, shape, classes, name, precision=recipe.precision)


def finish(recipe: Recipe, name: str, learned: Network) -> Network:
    """The network as it is served, with the weights of the one that has learned."""
    network = build_network(recipe, name)
    network.set_weights(learned.get_weights())
    return network

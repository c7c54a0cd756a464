"""A training run: what is trained on what, and where it is published."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modelrepo.metadata import Metadata
from modelrepo.repository import ModelRepository
from modelrepo.writer import publish
from training.data.splits import Dataset
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

"""Random choices that are the same in every run."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Random = np.random.Generator
Item = TypeVar("Item")


def pick(random: Random, items: Sequence[Item]) -> Item:
    """One item, each with the same probability."""
    return items[int(random.integers(len(items)))]

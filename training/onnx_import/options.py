"""The options of `import`: facts about a model that its file does not state."""

from dataclasses import dataclass
from pathlib import Path

COLORS = {"grayscale": "grayscale", "rgb": "rgb", "bgr": "rgb"}  # the values of --color and the contract's color modes


@dataclass(frozen=True)
class ImportOptions:
    """One member for each option; None leaves it to the graph, to the preset or to the default."""

    name: str | None = None
    version: int | None = None
    description: str | None = None
    class_names: Path | None = None  # a file
    preset: str | None = None
    scale: float | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    color: str | None = None
    fit: str | None = None
    interpolation: str | None = None
    layout: str | None = None
    size: tuple[int, int] | None = None  # height, width
    batch: int | None = None
    output: str | None = None
    abstain_below: float | None = None  # a probability

"""What the user of `import` may say of a model, since its file does not."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Choices:
    """One member an option; None leaves it to the graph, to the preset or to the default."""

    name: str | None = None
    version: int | None = None
    description: str | None = None
    labels: Path | None = None
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

"""What may be asked of a training beside its recipe: where it runs, what it starts from, what it logs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.distribution import Distribution
from training.eventlog import EventLog
from training.networks import Network
from training.starting import Start, take_over


@dataclass(frozen=True)
class Course:
    """By default one process, random weights, and no log but the metadata's."""

    distribution: Distribution = field(default_factory=Distribution)
    start: Start | None = None
    freeze: bool = False
    tensorboard: Path | None = None

    def begin(self, network: Network, labels: tuple[str, ...]) -> None:
        """Set the weights that a new network starts from; raises InvalidNetwork."""
        if self.start is not None:
            take_over(self.start, network, labels, freeze=self.freeze)

    def callbacks(self) -> list[Any]:
        """What is written while the network learns; by one process only."""
        return [EventLog(self.tensorboard)] if self.tensorboard and self.distribution.chief else []

    def describe(self) -> dict[str, Any]:
        """What the metadata says of it."""
        earlier = {} if self.start is None else {"started_from": {**self.start.origin, "frozen": self.freeze}}
        return {**self.distribution.describe(), **earlier}

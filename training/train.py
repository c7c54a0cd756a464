"""One training run, a straight line: recipe → data set → network → fit → evaluate → export → verify → publish."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from training.engine.callbacks import EventLog
from training.engine.checkpoint import Checkpoint
from training.engine.distributed.strategy import Distribution
from training.engine.fine_tuning import Start, take_over
from training.engine.trainer import Fit, fit, seed_everything
from training.export.publish import publish_network
from training.models.build import Network
from training.models.saving import save_network
from training.run import Run, build_learner, finish


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


_USUAL = Course()


def train(run: Run, save: Path | None = None, keep: Path | None = None, course: Course = _USUAL) -> Path:
    """Train the recipe's network and publish it as the next version of the run's name; returns the bundle's folder.

    `save` also keeps the Keras network. `keep` is the file in which the run's state stands until it has ended, so that
    the same run goes on where it was killed. Raises InvalidCheckpoint, InvalidCluster, WorkerLost and what
    `publish_network` raises.
    """
    learned, fitted = _learn(run, keep, course)
    network = finish(run.recipe, run.name, learned)
    if save is not None:
        save_network(network, save)
    published = publish_network(run, network, fitted, origin=course.describe())
    if keep is not None:
        keep.unlink(missing_ok=True)
    return published


def assist(run: Run, course: Course) -> None:
    """Do a worker's part of a training whose chief does the rest; raises InvalidCluster or WorkerLost."""
    _learn(replace(run, verbose=0), None, course)


def _learn(run: Run, keep: Path | None, course: Course) -> tuple[Network, Fit]:
    """The trained network and how it went."""
    seed_everything(run.recipe.seed)
    identity = _identify(run, course)
    course.distribution.check(identity)
    with course.distribution.scope():
        network = build_learner(run.recipe, run.name)
        course.begin(network, run.dataset.spec.class_names)
    fitted = fit(
        network,
        run.recipe,
        run.dataset.train,
        run.verbose,
        checkpoint=None if keep is None else Checkpoint(keep, identity),
        callbacks=course.callbacks(),
        validation=run.dataset.validation,
        distribution=course.distribution,
    )
    return network, fitted


def _identify(run: Run, course: Course) -> str:
    """What a run's state depends on."""
    earlier = course.describe().get("started_from", "")
    return hashlib.sha256(f"{run.recipe!r} {run.dataset.train.digest} {earlier}".encode()).hexdigest()

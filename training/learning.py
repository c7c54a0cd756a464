"""One training run, a straight line: recipe → data set → network → fit → evaluate → export → verify → publish."""

import hashlib
from dataclasses import replace
from pathlib import Path

from training.checkpoint import Checkpoint
from training.course import Course
from training.fitting import Fit, fit, seed_everything
from training.networks import Network
from training.publishing import publish_network
from training.run import Run, build_learner, finish
from training.saving import save_network

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
        course.begin(network, run.dataset.spec.labels)
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

"""Fitting a network: the loop over the training images, repeatable from a seed and from any of its epochs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from training.checkpoint import Checkpoint, History
from training.datasets import Split, hold_out
from training.distribution import Distribution
from training.feeding import feed, show, steps_per_epoch
from training.interruption import Interruption
from training.journal import Journal
from training.networks import Network
from training.optimisation import make_optimizer
from training.recipes import Recipe

_HERE = Distribution()


@dataclass(frozen=True)
class Fit:
    """What a fit leaves behind: loss and accuracy by epoch, on what it learned from and on what it was watched on."""

    history: History
    seconds: float
    train_images: int
    validation_images: int


def seed_everything(seed: int) -> None:
    """Make what follows repeatable: Python's, numpy's and TensorFlow's random numbers, and the order of sums."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fit(
    network: Network,
    recipe: Recipe,
    split: Split,
    verbose: int,
    checkpoint: Checkpoint | None = None,
    *,
    callbacks: Sequence[Any] = (),
    distribution: Distribution = _HERE,
) -> Fit:
    """Train the network in place on a split, part of it held out; `verbose` is Keras's (1 is a progress bar).

    With a checkpoint, every epoch's state is kept in its file, and what the file held before is gone on from; raises
    InvalidCheckpoint. The network was built in the distribution's scope; raises WorkerLost.
    """
    learned, watched = hold_out(split, recipe.validation, recipe.seed)
    steps = steps_per_epoch(learned, recipe)
    with distribution.scope():
        network.compile(
            optimizer=make_optimizer(recipe, steps * recipe.epochs, distribution.optimizer()),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
            weighted_metrics=["accuracy"],
        )
        network.optimizer.build(network.trainable_variables)
    journal = Journal(checkpoint)
    with distribution.watch(), Interruption() as interruption:
        journal.resume(network, distribution)
        start = journal.progress.epochs
        network.fit(
            feed(learned, recipe, start, distribution.share),
            steps_per_epoch=steps,
            initial_epoch=start,
            epochs=recipe.epochs,
            validation_data=show(watched, recipe) if distribution.chief else None,
            shuffle=False,  # the feed has done it
            verbose=verbose,
            callbacks=[*distribution.callbacks(steps), journal, interruption, *callbacks],
        )
    return Fit(journal.progress.history, journal.progress.seconds, len(learned), len(watched))

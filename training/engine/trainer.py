"""Fitting a network: the loop over the training images, repeatable from a seed and from any of its epochs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from training.data.splits import Split, hold_out, weigh_classes
from training.engine.callbacks import Interruption, TimeLeft
from training.engine.checkpoint import Checkpoint, History, Journal, Progress
from training.engine.distributed.strategy import Distribution
from training.engine.input_pipeline import Stream, faults_named, feed, show, steps_per_epoch
from training.engine.optimizer import make_optimizer
from training.engine.throughput import Throughput, measure
from training.models.build import Network
from training.recipes import Recipe

_HERE = Distribution()


@dataclass(frozen=True)
class Fit:
    """What a fit leaves behind: loss and accuracy by epoch, on what it learned from and on what it was watched on."""

    history: History
    seconds: float
    train_images: int
    validation_images: int
    throughput: Throughput | None  # None where several devices trained it
    class_weights: dict[int, float] | None = None  # by label index, None where all count alike


def seed_everything(seed: int) -> None:
    """Make what follows repeatable: Python's, numpy's and TensorFlow's random numbers, and the order of sums."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fit(
    network: Network,
    recipe: Recipe,
    split: Split,
    verbose: int,
    *,
    checkpoint: Checkpoint | None = None,
    callbacks: Sequence[Any] = (),
    validation: Split | None = None,
    distribution: Distribution = _HERE,
) -> Fit:
    """Train the network in place on a split; `verbose` is Keras's (1 is a progress bar).

    What it is watched on is held out of the split where no `validation` is given. With a checkpoint, every epoch's
    state is kept in its file, and what the file held before is gone on from. The network was built in the
    distribution's scope. Raises InvalidCheckpoint, WorkerLost, and InvalidData where an image file is no longer what it
    was.
    """
    learned, watched = (split, validation) if validation else hold_out(split, recipe.validation, recipe.seed)
    weights = weigh_classes(learned.labels, len(recipe.dataset.class_names), recipe.balance)
    steps = steps_per_epoch(learned, recipe)
    with distribution.scope():
        network.compile(
            optimizer=make_optimizer(recipe, steps * recipe.epochs, distribution.optimizer()),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
            weighted_metrics=["accuracy"],
        )
        network.optimizer.build(network.trainable_variables)
    journal = Journal(checkpoint)
    with distribution.watch(), Interruption() as interruption, faults_named():
        journal.resume(network, distribution)
        start = journal.progress.epochs
        network.fit(
            feed(learned, recipe, start, distribution.share, weights),
            steps_per_epoch=steps,
            initial_epoch=start,
            epochs=recipe.epochs,
            validation_data=show(watched, recipe) if distribution.chief and len(watched) else None,
            shuffle=False,  # the feed has done it
            verbose=verbose,
            callbacks=[
                *distribution.callbacks(steps),
                journal,
                interruption,
                *([TimeLeft(recipe.epochs)] if verbose else []),
                *callbacks,
            ],
        )
        measured = distribution.share.whole  # part of a batch says nothing of the whole of it
        throughput = _measure(network, feed(learned, recipe), journal.progress, steps) if measured else None
    return Fit(journal.progress.history, journal.progress.seconds, len(learned), len(watched), throughput, weights)


def _measure(network: Network, stream: Stream, progress: Progress, steps: int) -> Throughput:
    """The network is the same afterwards."""
    weights = network.get_weights()
    throughput = measure(network, stream, progress.seconds, progress.seconds / (progress.epochs * steps))
    network.set_weights(weights)
    return throughput

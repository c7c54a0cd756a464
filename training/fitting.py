"""Fitting a network: the loop over the training images, repeatable from a seed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import keras
import tensorflow as tf

from training.datasets import Split, hold_out
from training.interruption import Interruption
from training.networks import Network
from training.recipes import Recipe
from training.scaling import scale

History = Mapping[str, list[float]]


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


def fit(network: Network, recipe: Recipe, split: Split, verbose: int) -> Fit:
    """Train the network in place on a split, part of it held out; `verbose` is Keras's (1 is a progress bar)."""
    learned, watched = hold_out(split, recipe.validation, recipe.seed)
    network.compile(
        optimizer=keras.optimizers.SGD(recipe.learning_rate, recipe.momentum),
        loss="sparse_categorical_crossentropy",  # labels are indices; one-hot rows would give the same numbers
        metrics=["accuracy"],
    )
    started = time.perf_counter()
    with Interruption() as interruption:
        record = network.fit(
            scale(learned.images),
            learned.labels,
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
            validation_data=(scale(watched.images), watched.labels),
            verbose=verbose,
            callbacks=[interruption],
        )
    history = {name: [float(value) for value in values] for name, values in record.history.items()}
    return Fit(history, time.perf_counter() - started, len(learned), len(watched))

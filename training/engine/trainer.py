"""Models of a recipe: built, compiled, and fitted, repeatable from a seed and from any of their epochs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from training.data.splits import Split, weigh_classes
from training.engine.callbacks import Interruption, TimeLeft
from training.engine.checkpoint import Checkpoint, CheckpointCallback, History, Progress
from training.engine.distributed.strategy import Distribution
from training.engine.input_pipeline import (
    evaluation_batches,
    naming_unreadable_files,
    steps_per_epoch,
    training_batches,
)
from training.engine.throughput import Throughput, measure
from training.models.build import Network, build
from training.recipes import Recipe

_ONE_PROCESS = Distribution()
_NO_DECAY = ("bias", "gamma", "beta")  # a network is not simpler for having small ones


@dataclass(frozen=True)
class Fit:
    """The result of a fit: loss and accuracy by epoch, on the training and on the validation images."""

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


def build_training_model(recipe: Recipe, name: str) -> Network:
    """The recipe's network as it is trained: in the recipe's precision, without flip test-time augmentation."""
    shape, classes = recipe.dataset.shape, len(recipe.dataset.class_names)
    return build(recipe.architecture, shape, classes, name, precision=recipe.precision)


def build_serving_model(recipe: Recipe, name: str, trained: Network | None = None) -> Network:
    """The recipe's network as it is served, in float32; with the weights of the trained one, else random ones."""
    shape, classes = recipe.dataset.shape, len(recipe.dataset.class_names)
    network = build(recipe.architecture, shape, classes, name, flip_tta=recipe.flip_tta)
    if trained is not None:
        network.set_weights(trained.get_weights())
    return network


def compile_model(network: Network, recipe: Recipe, train: Split, distribution: Distribution = _ONE_PROCESS) -> None:
    """Give a network the recipe's optimizer and loss, for a fit to this split."""
    network.compile(
        optimizer=make_optimizer(recipe, steps_per_epoch(train, recipe) * recipe.epochs, distribution.sgd()),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        weighted_metrics=[Accuracy()],
    )
    network.optimizer.build(network.trainable_variables)


class Accuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc] # Keras ships no types
    """The share of right answers among the images that have a class."""

    def __init__(self) -> None:
        super().__init__(name="accuracy")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Count a batch; the largest value of an outlier's label is 1/classes."""
        has_class = tf.cast(tf.reduce_max(y_true, axis=-1) > 0.5, tf.float32)
        weight = has_class if sample_weight is None else has_class * tf.cast(sample_weight, tf.float32)
        return super().update_state(y_true, y_pred, weight)


def make_optimizer(recipe: Recipe, steps: int, sgd: Any = keras.optimizers.SGD) -> Any:
    """A keras.optimizers.SGD, or a class made of it, for a run of so many steps."""
    optimizer = sgd(
        _schedule(recipe, steps),
        recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay or None,
        use_ema=bool(recipe.ema_momentum),
        ema_momentum=recipe.ema_momentum,
    )
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=_NO_DECAY)
    return optimizer


def fit(
    network: Network,
    recipe: Recipe,
    train: Split,
    validation: Split,
    *,
    verbose: int = 0,
    checkpoint: Checkpoint | None = None,
    callbacks: Sequence[Any] = (),
    distribution: Distribution = _ONE_PROCESS,
) -> Fit:
    """Train a compiled network in place; `verbose` is Keras's (1 is a progress bar).

    With a checkpoint, the state after each epoch is written to its file, and the fit goes on from the state that the
    file had before. The network was built and compiled in the distribution's scope. Raises InvalidCheckpoint,
    WorkerLost, and InvalidData where an image file has changed since it was checked.
    """
    weights = weigh_classes(train.labels, len(recipe.dataset.class_names), recipe.class_weight_threshold)
    steps = steps_per_epoch(train, recipe)
    state = CheckpointCallback(checkpoint)
    with distribution.naming_lost_workers(), Interruption() as interruption, naming_unreadable_files():
        state.restore(network, distribution)
        start = state.progress.epochs
        network.fit(
            training_batches(train, recipe, start, distribution.shard, weights),
            steps_per_epoch=steps,
            initial_epoch=start,
            epochs=recipe.epochs,
            validation_data=evaluation_batches(validation, recipe)
            if distribution.chief and len(validation.labels)
            else None,
            shuffle=False,  # the training batches are shuffled already
            verbose=verbose,
            callbacks=[
                *distribution.callbacks(steps),
                state,
                interruption,
                *([TimeLeft(recipe.epochs)] if verbose else []),
                *callbacks,
            ],
        )
        # That of a shard of each batch would not be the throughput of the whole.
        throughput = None if distribution.shard else _measure(network, train, recipe, state.progress)
    return Fit(
        state.progress.history, state.progress.seconds, len(train.labels), len(validation.labels), throughput, weights
    )


def _schedule(recipe: Recipe, steps: int) -> Any:
    """A number, or a cosine from the highest rate to 0 (Loshchilov and Hutter, arXiv:1608.03983) after a warm-up."""
    if recipe.schedule == "constant":
        return recipe.learning_rate
    warmup = round(steps * recipe.warmup)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=recipe.learning_rate, warmup_steps=warmup
    )


def _measure(network: Network, train: Split, recipe: Recipe, progress: Progress) -> Throughput:
    """The network has the same weights afterwards."""
    weights, steps = network.get_weights(), progress.epochs * steps_per_epoch(train, recipe)
    throughput = measure(network, training_batches(train, recipe), progress.seconds, progress.seconds / steps)
    network.set_weights(weights)
    return throughput

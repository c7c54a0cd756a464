"""Input pipeline: streams of batches, which are read and augmented while the network computes.

Order and augmentation follow from the seed and the number of the epoch, not from what was drawn before: a run that is
taken up again at its tenth epoch sees what an uninterrupted one sees there.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from training.data.lazy_images import LazyImages
from training.data.splits import OUTLIER, ImageArray, Split
from training.engine.augment import augment
from training.engine.distributed.shard import Shard
from training.errors import InvalidData
from training.evaluation.metrics import Probabilities
from training.models.build import Network, rescale
from training.recipes import Recipe

Stream = Any  # a tf.data.Dataset; TensorFlow ships no types
Tensor = Any

_BATCH = 256  # images at a time where nothing is trained; changes the speed only
_VALUES = 1 << 22  # but no more numbers than these: 21 photographs of 256×256, whose activations take 1 GB by hundreds


def training_batches(
    split: Split,
    recipe: Recipe,
    start: int = 0,
    shard: Shard | None = None,
    class_weights: Mapping[int, float] | None = None,
) -> Stream:
    """All epochs from `start` on, one after the other: float32 [N, height, width, channels] of 0…1, one-hot labels.

    An outlier's label is 1/classes everywhere, so that the network learns to be certain of nothing (Outlier Exposure:
    Hendrycks, Mazeika, Dietterich, "Deep Anomaly Detection with Outlier Exposure", ICLR 2019, arXiv:1812.04606). Where
    classes are weighted, and where there is only a shard of each batch (see `Shard.take`), weights stand beside them,
    float32 [N].
    """
    classes = len(recipe.dataset.class_names)
    # The outliers are the class after the last, as far as rows of these two tables are concerned.
    read, rows = _reader(split.images), tf.constant(np.where(split.labels == OUTLIER, classes, split.labels))
    label_of_row = tf.concat([tf.eye(classes), tf.fill((1, classes), 1 / classes)], axis=0)
    weight_of_row = tf.constant(
        [1.0 if class_weights is None else class_weights[label] for label in range(classes)] + [1.0]
    )
    weighted = class_weights is not None or shard is not None

    def epoch(number: Tensor) -> Stream:
        order = tf.random.experimental.stateless_shuffle(tf.range(len(split.labels)), _seed(recipe, number))
        return tf.data.Dataset.from_tensor_slices(order).batch(recipe.batch_size)

    def prepare(step: Tensor, batch: Tensor) -> tuple[Tensor, ...]:
        count = tf.shape(batch)[0]
        places, weights = (tf.range(count), tf.ones(count)) if shard is None else shard.take(count)
        chosen = tf.gather(batch, places)
        images = augment(rescale(read(chosen)), recipe.augmentation, _seed(recipe, step), (places, count))
        chosen_rows = tf.gather(rows, chosen)
        pair = images, tf.gather(label_of_row, chosen_rows)
        return (*pair, weights * tf.gather(weight_of_row, chosen_rows)) if weighted else pair

    epochs = tf.data.Dataset.range(start, recipe.epochs).flat_map(epoch)
    first = start * steps_per_epoch(split, recipe)
    return epochs.enumerate(first).map(prepare, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def steps_per_epoch(split: Split, recipe: Recipe) -> int:
    """Batches an epoch; the last one may be smaller."""
    return -(-len(split.labels) // recipe.batch_size)


def evaluation_batches(split: Split, recipe: Recipe) -> Stream:
    """A split once, in its order and without augmentation, in the form that `training_batches` gives."""
    classes = len(recipe.dataset.class_names)
    batches = _read(split, tf.data.Dataset.range(len(split.labels)), _batch_size(split.images))
    return batches.map(lambda images, labels: (rescale(images), tf.one_hot(labels, classes)))


def inference_batches(images: ImageArray) -> Stream:
    """Raw images in their order as a network takes them: float32 [N, height, width, channels] of 0…1."""
    positions = tf.data.Dataset.range(len(images)).batch(_batch_size(images))
    return positions.map(_reader(images)).map(rescale).prefetch(tf.data.AUTOTUNE)


def predict(network: Network, images: ImageArray, verbose: int = 0) -> Probabilities:
    """The probabilities that Keras gives for raw images; raises InvalidData where an image file has changed."""
    with naming_unreadable_files():
        probabilities: Probabilities = network.predict(inference_batches(images), verbose=verbose)
    return probabilities


def _batch_size(images: ImageArray) -> int:
    return min(_BATCH, max(1, _VALUES // math.prod(images.shape[1:])))


@contextmanager
def naming_unreadable_files() -> Iterator[None]:
    """Raise InvalidData for a file that cannot be read in the middle of a stream; TensorFlow's error is long."""
    try:
        yield
    except tf.errors.OpError as error:
        sentence = re.search(r"InvalidData: (.*)", str(error))
        if sentence is None:
            raise
        raise InvalidData(sentence[1]) from error


def _read(split: Split, positions: Stream, size: int) -> Stream:
    """Batches of uint8 pixels and of labels at these positions."""
    read, labels = _reader(split.images), tf.constant(split.labels)
    return positions.batch(size).map(lambda chosen: (read(chosen), tf.gather(labels, chosen)), tf.data.AUTOTUNE)


def _reader(images: ImageArray) -> Callable[[Tensor], Tensor]:
    """A function from positions to the pixels there, which are held in memory or decoded when they are asked for."""
    pixels = images.held if isinstance(images, LazyImages) else images
    if pixels is not None:
        held = tf.constant(pixels)
        return lambda chosen: tf.gather(held, chosen)

    def decode(chosen: Tensor) -> Tensor:
        # Not stateful: it says so lest TensorFlow, asked for a repeatable order, decodes one batch after the other.
        batch = tf.numpy_function(images.__getitem__, [chosen], tf.uint8, stateful=False)
        return tf.ensure_shape(batch, (None, *images.shape[1:]))

    return decode


def _seed(recipe: Recipe, number: Tensor) -> Tensor:
    return tf.stack([tf.constant(recipe.seed, tf.int64), tf.cast(number, tf.int64)])

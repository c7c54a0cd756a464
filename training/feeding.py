"""How images reach a network: streams of batches, read and distorted beside the computation.

Order and distortion follow from the seed and the number of the epoch, not from what was drawn before: a run that is
taken up again at its tenth epoch sees what an uninterrupted one sees in its tenth epoch.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from training.datasets import Images, Split
from training.distortion import distort
from training.recipes import Recipe
from training.scaling import scale
from training.share import Share

Stream = Any  # a tf.data.Dataset; TensorFlow ships no types
Tensor = Any

_ALL = Share()
_BATCH = 256  # images at a time where nothing is learned; changes the speed only


def feed(split: Split, recipe: Recipe, start: int = 0, share: Share = _ALL) -> Stream:
    """All epochs from `start` on, one after the other: float32 [N, height, width, channels] of 0…1, one-hot labels.

    A share that is not the whole of each batch has weights beside them, float32 [N], see `Share.take`.
    """
    classes = len(recipe.dataset.labels)
    read, labels = _reader(split.images), tf.constant(split.labels)

    def epoch(number: Tensor) -> Stream:
        order = tf.random.experimental.stateless_shuffle(tf.range(len(split)), _seed(recipe, number))
        return tf.data.Dataset.from_tensor_slices(order).batch(recipe.batch_size)

    def prepare(step: Tensor, batch: Tensor) -> tuple[Tensor, ...]:
        count = tf.shape(batch)[0]
        places, weights = share.take(count)
        chosen = tf.gather(batch, places)
        images = distort(scale(read(chosen)), recipe.augmentation, _seed(recipe, step), (places, count))
        wanted = tf.one_hot(tf.gather(labels, chosen), classes)
        return (images, wanted) if share.whole else (images, wanted, weights)

    epochs = tf.data.Dataset.range(start, recipe.epochs).flat_map(epoch)
    first = start * steps_per_epoch(split, recipe)
    return epochs.enumerate(first).map(prepare, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def steps_per_epoch(split: Split, recipe: Recipe) -> int:
    """Batches an epoch; the last one may be smaller."""
    return -(-len(split) // recipe.batch_size)


def show(split: Split, recipe: Recipe) -> Stream:
    """A split once, in its order and undistorted, in the form that `feed` gives."""
    classes = len(recipe.dataset.labels)
    batches = _read(split, tf.data.Dataset.range(len(split)), _BATCH)
    return batches.map(lambda images, labels: (scale(images), tf.one_hot(labels, classes)))


def look(images: Images) -> Stream:
    """Raw images in their order as a network takes them: float32 [N, height, width, channels] of 0…1."""
    positions = tf.data.Dataset.range(len(images)).batch(_BATCH)
    return positions.map(_reader(images)).map(scale).prefetch(tf.data.AUTOTUNE)


def _read(split: Split, positions: Stream, size: int) -> Stream:
    """Batches of uint8 pixels and of labels at these positions."""
    read, labels = _reader(split.images), tf.constant(split.labels)
    return positions.batch(size).map(lambda chosen: (read(chosen), tf.gather(labels, chosen)), tf.data.AUTOTUNE)


def _reader(images: Images) -> Callable[[Tensor], Tensor]:
    """A function from positions to the pixels there, for images that are held in memory."""
    held = tf.constant(images)
    return lambda chosen: tf.gather(held, chosen)


def _seed(recipe: Recipe, number: Tensor) -> Tensor:
    return tf.stack([tf.constant(recipe.seed, tf.int64), tf.cast(number, tf.int64)])

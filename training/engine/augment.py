"""Training images moved, turned and partly covered at random, as TensorFlow operations on whole batches.

What is drawn follows from the seed alone (TensorFlow's stateless random numbers), so that a run that is taken up
again after an interruption sees the same images as one that was not.
"""

import math
from typing import Any

import tensorflow as tf

from training.recipes import Augmentation

Tensor = Any  # a tf.Tensor; TensorFlow ships no types


def augment(images: Tensor, rules: Augmentation, seed: Tensor, part: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """Float images of [N, height, width, channels], each changed in its own way; `seed` is two integers.

    Where these are part of a larger batch, `part` is their places in it and its size: each is changed as in there.
    """
    if rules == Augmentation():
        return images
    places, count = part or (tf.range(tf.shape(images)[0]), tf.shape(images)[0])

    def draw(values: int, offset: int, lowest: float) -> Tensor:
        """So many numbers for each image, from the lowest to 1."""
        numbers = tf.random.stateless_uniform((values, count), seed + offset, lowest, 1)
        return tf.gather(numbers, places, axis=1)

    moved = _move(images, rules, draw(6, 0, -1))
    if rules.crop:
        moved = _enlarge(moved, rules.crop, draw(4, 2, 0))
    return _cover(moved, rules.cutout, draw(2, 1, 0)[..., None]) if rules.cutout else moved


def _move(images: Tensor, rules: Augmentation, draw: Tensor) -> Tensor:
    """One affine map an image: flip, zoom, shear and turn about the centre, then shift; bilinear between pixels."""
    height, width = images.shape[1], images.shape[2]
    turn, lean = draw[0] * math.radians(rules.rotate), draw[1] * rules.shear
    across, down = 1 + draw[2] * rules.zoom, 1 + draw[2] * rules.zoom
    if rules.flip:
        across = tf.where(draw[3] < 0, -across, across)
    cosine, sine = tf.cos(turn), tf.sin(turn)
    # Rows of the map from a pixel of the result to the place in the original that it shows.
    a, b = cosine * across, (cosine * lean - sine) * down
    c, d = sine * across, (sine * lean + cosine) * down
    # Whole pixels: what is only shifted stays as sharp as it was.
    dx, dy = tf.round(draw[4] * rules.shift), tf.round(draw[5] * rules.shift)
    x, y = (width - 1) / 2, (height - 1) / 2
    rows = [a, b, x - a * x - b * y + dx, c, d, y - c * x - d * y + dy]
    transforms = tf.stack([*rows, tf.zeros_like(a), tf.zeros_like(a)], axis=1)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=(height, width),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode=rules.fill.upper(),
    )


def _enlarge(images: Tensor, smallest: float, draw: Tensor) -> Tensor:
    """A part of each image, drawn by area, shape and place, brought to the whole size.

    Szegedy et al., "Going Deeper with Convolutions", arXiv:1409.4842: areas down to a share, shapes from 3:4 to 4:3.
    """
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    area, shape = smallest + (1 - smallest) * draw[0], tf.pow(4 / 3, 2 * draw[1] - 1)
    down, across = tf.minimum(tf.sqrt(area / shape), 1), tf.minimum(tf.sqrt(area * shape), 1)
    top, left = draw[2] * (1 - down), draw[3] * (1 - across)
    boxes = tf.stack([top, left, top + down, left + across], axis=1)
    return tf.image.crop_and_resize(images, boxes, tf.range(count), (height, width))


def _cover(images: Tensor, side: int, centre: Tensor) -> Tensor:
    """A black square somewhere in each image, cut where it reaches beyond the edge (DeVries and Taylor, 2017)."""
    height, width = images.shape[1], images.shape[2]
    rows = tf.abs(tf.range(height, dtype=tf.float32) - centre[0] * height) < side / 2
    columns = tf.abs(tf.range(width, dtype=tf.float32) - centre[1] * width) < side / 2
    covered = tf.logical_and(rows[:, :, None], columns[:, None, :])
    return tf.where(covered[..., None], tf.zeros((), images.dtype), images)

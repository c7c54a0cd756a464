"""Data sets as values: splits of images and labels, held out parts of them, and class weights.

A split's images are uint8 [N, height, width, channels], its labels int64 [N], indices into the data set's class names.
Only what is trained on may have images of no class: their label is OUTLIER.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.lazy_images import LazyImages
from training.data.specs import DatasetSpec
from training.errors import InvalidData

Images = NDArray[np.uint8]
ImageArray = Images | LazyImages  # files are indexed like an array, and decoded only then
Labels = NDArray[np.int64]

OUTLIER = -1  # the label of what belongs to no class


@dataclass(frozen=True)
class Split:
    """Images and the index of each one's label."""

    images: ImageArray
    labels: Labels

    def __len__(self) -> int:
        return len(self.images)

    @property
    def digest(self) -> str:
        """SHA-256 over pixels and labels (little-endian int64), the same for every form in which the split is stored.

        For image files of any size, whose pixels depend on the recipe, it is over the SHA-256 of each file instead.
        """
        images = self.images.hashes if isinstance(self.images, LazyImages) else self.images
        digest = hashlib.sha256(images.tobytes())
        digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Dataset:
    """A data set with its splits.

    `validation` is None unless the data set comes with such a split; then it is held out of `train`. `origin` is what
    the metadata records so that the same splits can be made again.
    """

    spec: DatasetSpec
    train: Split
    test: Split
    validation: Split | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)


def make_split(spec: DatasetSpec, images: NDArray[np.generic], labels: NDArray[np.generic], source: str) -> Split:
    """Check arrays against the spec; images of one channel may lack its axis, and labels may be [N, 1], as CIFAR's are.

    Raises InvalidData, which names the source.
    """
    if spec.shape[-1] == 1 and images.ndim == 3:
        images = images[..., np.newaxis]
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if images.dtype != np.uint8 or images.shape[1:] != spec.shape:
        raise InvalidData(
            f"{source}: {spec.name} needs uint8 images of [N, {', '.join(map(str, spec.shape))}], "
            f"not {images.dtype} of {list(images.shape)}"
        )
    if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
        raise InvalidData(f"{source}: {len(images)} images need as many integer labels, not {list(labels.shape)}")
    if not len(labels):
        raise InvalidData(f"{source} has no images")
    if labels.min() < 0 or labels.max() >= len(spec.class_names):
        raise InvalidData(f"{source}: labels must be 0 to {len(spec.class_names) - 1}")
    return Split(images.astype(np.uint8, copy=False), labels.astype(np.int64))


def split_validation(dataset: Dataset, share: float, seed: int) -> tuple[Split, Split]:
    """The training and the validation images: as the data set has them, else divided by `hold_out`."""
    return (dataset.train, dataset.validation) if dataset.validation else hold_out(dataset.train, share, seed)


def hold_out(split: Split, share: float, seed: int) -> tuple[Split, Split]:
    """Divide a split at random into training and validation images; `share` of them (0 to 1) are for validation.

    No class loses its last image, so where every class has only one, there are no validation images.
    """
    order = np.random.default_rng(seed).permutation(len(split))
    held = max(1, round(len(split) * share))
    train, validation = order[held:], order[:held]
    last = ~np.isin(split.labels[validation], split.labels[train])
    return take(split, np.concatenate([train, validation[last]])), take(split, validation[~last])


def take(split: Split, chosen: NDArray[np.int64]) -> Split:
    """The images at these positions, in this order."""
    images = split.images.select(chosen) if isinstance(split.images, LazyImages) else split.images[chosen]
    return Split(images, split.labels[chosen])


def join(split: Split, more: Split) -> Split:
    """The images of the one, which are held in memory, then those of the other."""
    return Split(np.concatenate([split.images, more.images]), np.concatenate([split.labels, more.labels]))


def weigh_classes(labels: Labels, classes: int, threshold: float) -> dict[int, float] | None:
    """Weights N / (classes · images of the class), by class; their mean over all images is 1.

    None where the largest class has at most `threshold` times the images of the smallest, or `threshold` is 0. A class
    without images is not counted and gets the weight 1; outliers are not counted, either.
    """
    labels = labels[labels != OUTLIER]
    counts = np.bincount(labels, minlength=classes)
    present = counts[counts > 0]
    if not threshold or present.max() <= threshold * present.min():
        return None
    return {index: float(len(labels) / (len(present) * count)) if count else 1.0 for index, count in enumerate(counts)}

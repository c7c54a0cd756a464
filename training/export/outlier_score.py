"""The outlier score of an image: how far its features are from those of the training, larger for what is less like it.

It is the sum of two logarithms, each less its mean and divided by its standard deviation over validation images:

- of the distance of the normalized features before the last dense layer to the nearest class, by a covariance that all
  classes share: Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples", NeurIPS 2018, with
  the normalization of Müller and Hein, "Mahalanobis++", ICML 2025;
- of the distance of the channels' means, in the middle of the network, to their mean by their own covariance.

docs/training/bundles.md has the measurements by which it was chosen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.splits import Labels

# Of a covariance's mean variance, added to every variance. What tells classes apart lies in directions in which a class
# varies little, and there are many in which it hardly varies at all: with less, those decide.
SHRINKAGE = 5.0
CHANNEL_SHRINKAGE = 0.01
# Features of which the covariance is used: its matrix is as large as their square. Of more, all directions count alike.
MOST_DIMENSIONS = 512

_SMALLEST = 1e-6  # of what is divided by, or of which the logarithm is computed

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Features:
    """Of N images: [N, dimensions] before the last dense layer, [N, channels] in the middle of the network, if any."""

    last: NDArray[np.float32]
    middle: NDArray[np.float32] | None


@dataclass(frozen=True)
class ChannelDistances:
    """What the distance of the channels' means is measured by: their mean [channels], and [channels, channels]."""

    center: Matrix
    whitening: Matrix


@dataclass(frozen=True)
class Distances:
    """What both distances are measured by.

    Of the normalized features `means` are [classes, dimensions], and `whitening` is [dimensions, dimensions] or None
    where all directions count alike. `channels` is None of a network that has no middle.
    """

    means: Matrix
    whitening: Matrix | None
    channels: ChannelDistances | None


@dataclass(frozen=True)
class OutlierScore:
    """A fitted score: the distances, and (mean, standard deviation) of the logarithm of each over validation images."""

    distances: Distances
    scales: tuple[tuple[float, float], ...]

    def __call__(self, features: Features) -> Matrix:
        """The scores of images, float64 [N]."""
        logarithms = zip(log_distances(self.distances, features), self.scales, strict=True)
        terms = [(each - mean) / deviation for each, (mean, deviation) in logarithms]
        total: Matrix = np.sum(terms, axis=0)
        return total


def fit(train: Features, labels: Labels, validation: Features) -> OutlierScore:
    """The score fitted to features of training images with their labels, and scaled by those of validation images."""
    distances = measure(train, labels)
    scales = tuple((float(each.mean()), float(each.std()) or 1.0) for each in log_distances(distances, validation))
    return OutlierScore(distances, scales)


def measure(train: Features, labels: Labels) -> Distances:
    """Means and covariances; classes that have no images here have no mean."""
    normalized = _normalized(train.last)
    present, place = np.unique(labels, return_inverse=True)
    means = np.stack([normalized[labels == each].mean(axis=0) for each in present])
    whitening = None
    if normalized.shape[1] <= MOST_DIMENSIONS:
        whitening = _whitening(normalized - means[place], SHRINKAGE)
    if train.middle is None or train.middle.shape[1] > MOST_DIMENSIONS:
        return Distances(means, whitening, None)
    channels = train.middle.astype(np.float64)
    center = channels.mean(axis=0)
    return Distances(means, whitening, ChannelDistances(center, _whitening(channels - center, CHANNEL_SHRINKAGE)))


def log_distances(distances: Distances, features: Features) -> tuple[Matrix, ...]:
    """The logarithm of each squared distance, [N]."""
    points, means = _normalized(features.last), distances.means
    if distances.whitening is not None:
        points, means = points @ distances.whitening, means @ distances.whitening
    squares = (points**2).sum(axis=1) + ((means**2).sum(axis=1) - 2 * points @ means.T).min(axis=1)
    if distances.channels is None or features.middle is None:
        return (_log(squares),)
    offsets = (features.middle.astype(np.float64) - distances.channels.center) @ distances.channels.whitening
    return _log(squares), _log((offsets**2).sum(axis=1))


def _normalized(features: NDArray[np.float32]) -> Matrix:
    points = features.astype(np.float64)
    normalized: Matrix = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), _SMALLEST)
    return normalized


def _whitening(residuals: Matrix, shrinkage: float) -> Matrix:
    """The matrix by which residuals get the covariance 1, but for what is added to all variances."""
    variances, directions = np.linalg.eigh(residuals.T @ residuals / len(residuals))
    whitening: Matrix = directions / np.sqrt(np.maximum(variances, 0) + shrinkage * variances.mean() + _SMALLEST**2)
    return whitening


def _log(squares: Matrix) -> Matrix:
    logarithm: Matrix = np.log(np.maximum(squares, _SMALLEST))
    return logarithm

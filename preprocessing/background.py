"""The background of handwriting, without its strokes: paper under a lamp, a board in a dim room."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLES = 2048  # pixels that the brightness is fitted to
ROUNDS = 4  # of fitting; the results of the third and the fourth hardly differ
RIDGE = 1e-3  # regularization; makes images of a pixel or two solvable, negligible beside thousands of samples

FloatImage = NDArray[np.float32]  # [height, width]
Box = tuple[float, float, float, float]  # left, top, right, bottom, as fractions of the image
WHOLE: Box = (0, 0, 1, 1)


@dataclass(frozen=True)
class Background:
    """Brightness as a quadratic polynomial of the position (1, x, y, x², y², xy), and the deviation from it."""

    coefficients: NDArray[np.float64]
    noise: float  # standard deviation, in gray levels

    def brightness(self, size: tuple[int, int], box: Box = WHOLE) -> FloatImage:
        """The brightness in a box at `size` (width, height) points, in gray levels, float32 [height, width]."""
        return (_terms(size, box) @ self.coefficients).astype(np.float32)


def estimate_background(levels: FloatImage) -> Background:
    """Fit the background of a gray image, 0 to 255, by least squares without the pixels that cannot belong to it.

    The first fit uses the pixels that are nearer to the border's median than to the level farthest from it, each later
    one those that the fit before explains within three standard deviations.
    """
    stride = max(1, int((levels.size / SAMPLES) ** 0.5))
    sample = levels[::stride, ::stride]
    values, terms = sample.ravel().astype(np.float64), _terms(sample.shape[::-1], WHOLE).reshape(-1, 6)
    distance = np.abs(values - _border_median(levels))
    threshold = (distance.min() + distance.max()) / 2
    for _ in range(ROUNDS):
        inliers = distance <= threshold
        chosen = terms[inliers]
        coefficients = np.linalg.solve(chosen.T @ chosen + RIDGE * np.eye(6), chosen.T @ values[inliers])
        distance = np.abs(values - terms @ coefficients)
        noise = 1.4826 * float(np.median(distance[inliers]))  # of a normal distribution, from its median deviation
        threshold = 3 * noise + 1
    return Background(coefficients, noise)


def _terms(size: tuple[int, ...], box: Box) -> NDArray[np.float64]:
    """The polynomial's terms at `size` (width, height) points that fill the box, [height, width, 6]."""
    (width, height), (left, top, right, bottom) = size, box
    x = left + (np.arange(width) + 0.5) * ((right - left) / width)
    y = (top + (np.arange(height) + 0.5) * ((bottom - top) / height))[:, None]
    return np.stack(np.broadcast_arrays(1.0, x, y, x * x, y * y, x * y), axis=-1)


def _border_median(levels: FloatImage) -> float:
    return float(np.median(np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])))

"""What a page looks like without its ink: paper under a lamp, a board in a dim room."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLES = 2048  # points of the page that its brightness is fitted to
ROUNDS = 4  # of fitting; the figures of the third and the fourth hardly differ
RIDGE = 1e-3  # keeps pages of a pixel or two solvable, and is nothing beside the thousands of samples of the others

Levels = NDArray[np.float32]
Box = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the page
WHOLE: Box = (0, 0, 1, 1)


@dataclass(frozen=True)
class Background:
    """Brightness as a quadratic of the place (1, x, y, x², y², xy), and the standard deviation around it."""

    coefficients: NDArray[np.float64]
    noise: float

    def brightness(self, size: tuple[int, int], box: Box = WHOLE) -> Levels:
        """Of `size` (width, height) points that fill the box, float32 [height, width]."""
        return (_terms(size, box) @ self.coefficients).astype(np.float32)


def estimate_background(levels: Levels) -> Background:
    """The paper of a page, float32 [height, width], by least squares that leave out what cannot be paper.

    The first fit keeps what is nearer to the border's median than to the farthest ink, each later one what the fit
    before explains within three standard deviations.
    """
    stride = max(1, int((levels.size / SAMPLES) ** 0.5))
    sample = levels[::stride, ::stride]
    values, terms = sample.ravel().astype(np.float64), _terms(sample.shape[::-1], WHOLE).reshape(-1, 6)
    distance = np.abs(values - _border_median(levels))
    reach = (distance.min() + distance.max()) / 2
    for _ in range(ROUNDS):
        near = distance <= reach
        chosen = terms[near]
        coefficients = np.linalg.solve(chosen.T @ chosen + RIDGE * np.eye(6), chosen.T @ values[near])
        distance = np.abs(values - terms @ coefficients)
        noise = 1.4826 * float(np.median(distance[near]))  # of a normal distribution, from its median deviation
        reach = 3 * noise + 1
    return Background(coefficients, noise)


def _terms(size: tuple[int, ...], box: Box) -> NDArray[np.float64]:
    (width, height), (left, top, right, bottom) = size, box
    x = left + (np.arange(width) + 0.5) * ((right - left) / width)
    y = (top + (np.arange(height) + 0.5) * ((bottom - top) / height))[:, None]
    return np.stack(np.broadcast_arrays(1.0, x, y, x * x, y * y, x * y), axis=-1)


def _border_median(levels: Levels) -> float:
    return float(np.median(np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])))

"""Handwriting in the form of MNIST's images, so that what people draw or photograph looks like the training data.

Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits": the digits were size-normalized to fit a
box of 20 × 20 pixels with their aspect ratio kept, gray levels coming from the anti-aliasing, and then centered in
28 × 28 by their center of mass. Here the strokes are first separated from the background, which NIST's scanned forms
did not need: paper or a board, of any brightness, under any light.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

BOX_SHARE = 20 / 28  # of the side that the handwriting fills
ANALYSIS_SIDE = 256  # pixels; strokes are located on a copy no larger, so a photograph costs little more than a sketch
OVERSAMPLING = 4  # strokes are extracted and dilated at this many times their final size
STROKE_WIDTH = 2.3  # final pixels: the median of MNIST's own strokes, measured by `_stroke_width`
MIN_CONTRAST = 10  # gray levels of 255; an image with less is empty
NOISE_MARGIN = 5  # standard deviations of the background's noise that the strongest contrast must exceed
STROKE_THRESHOLD = 0.3  # of the strongest contrast; JPEG artifacts around a stroke stay below a quarter
EDGE_THRESHOLD = 0.2  # of full opacity: MNIST's boxes include the gray edge of the strokes
CELL_SIDE = 8  # pixels of the copy; strokes farther apart than this are not one component
MIN_COMPONENT = 0.05  # of the largest component's pixels; a smaller one is dust

SAMPLES = 2048  # pixels that the brightness is fitted to
ROUNDS = 4  # of fitting; the results of the third and the fourth hardly differ
RIDGE = 1e-3  # regularization; makes images of a pixel or two solvable, negligible beside thousands of samples

Gray = NDArray[np.uint8]  # [height, width]
Mask = NDArray[np.bool_]  # [height, width]
Cell = tuple[int, int]  # row, column
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


def to_mnist(pixels: Gray, size: tuple[int, int]) -> tuple[Gray, tuple[str, ...]]:
    """Convert handwriting to the form of MNIST's images: white strokes on black, scaled to a box and centered.

    `pixels` is uint8 [height, width] of any size, dark on light or light on dark; the result is uint8 of `size`
    (height, width), all black if there are no strokes. Also returns the names of the steps.
    """
    image = Image.fromarray(pixels)
    copy = image.reduce(max(1, -(-max(image.size) // ANALYSIS_SIDE)))
    levels = np.asarray(copy, np.float32)
    background = estimate_background(levels)
    contrast = levels - background.brightness(copy.size)
    sign = _polarity(contrast)
    box = _locate_strokes(sign * contrast, background.noise)
    side = max(1, round(min(size) * BOX_SHARE))
    strokes = None if box is None else _extract_strokes(image, box, background, sign, side * OVERSAMPLING)
    if strokes is None:
        return np.zeros(size, np.uint8), ("found no ink",)
    dilated = _dilate(strokes, STROKE_WIDTH * OVERSAMPLING)
    steps = {"inverted": sign < 0, "cropped to ink": True, "thickened": dilated is not strokes, "centred": True}
    return _center(_scale_to_box(dilated, side), size), tuple(step for step, done in steps.items() if done)


def _polarity(contrast: FloatImage) -> int:
    """1 for strokes lighter than the background, -1 for darker: the side of the distribution's long tail."""
    return 1 if float((contrast * contrast * contrast).sum()) > 0 else -1


def _locate_strokes(contrast: FloatImage, noise: float) -> Box | None:
    """The bounding box of the strokes, a pixel larger on each side; None if nothing has enough contrast."""
    strongest = float(np.percentile(contrast, 99.9))
    if strongest < max(MIN_CONTRAST, NOISE_MARGIN * noise):
        return None
    mask = _remove_specks(contrast > STROKE_THRESHOLD * strongest)
    (top, bottom), (left, right) = _extent(mask, 0), _extent(mask, 1)
    height, width = mask.shape
    return (
        max(0, left - 1) / width,
        max(0, top - 1) / height,
        min(width, right + 1) / width,
        min(height, bottom + 1) / height,
    )


def _extent(mask: Mask, axis: int) -> tuple[int, int]:
    """Along an axis: the first index and one past the last with anything true."""
    indices = np.flatnonzero(mask.any(axis=1 - axis))
    return int(indices[0]), int(indices[-1]) + 1


def _remove_specks(mask: Mask) -> Mask:
    """The mask without its small components, which are found on a grid of cells."""
    rows, columns = (np.arange(0, length, CELL_SIDE) for length in mask.shape)
    counts = np.add.reduceat(np.add.reduceat(mask, rows, axis=0, dtype=np.int64), columns, axis=1)
    components = _connected_components({(int(row), int(column)) for row, column in np.argwhere(counts)})
    weights = [sum(int(counts[cell]) for cell in component) for component in components]
    kept = np.zeros(counts.shape, np.bool_)
    for component, weight in zip(components, weights, strict=True):
        kept[tuple(zip(*component, strict=True))] = weight >= MIN_COMPONENT * max(weights)
    return mask & kept.repeat(CELL_SIDE, axis=0).repeat(CELL_SIDE, axis=1)[: mask.shape[0], : mask.shape[1]]


def _connected_components(cells: set[Cell]) -> list[list[Cell]]:
    """Groups of cells that touch, also at their corners. Empties the set."""
    components = []
    while cells:
        component = [cells.pop()]
        for row, column in component:
            neighbors = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & cells
            cells -= neighbors
            component.extend(neighbors)
        components.append(component)
    return components


def _extract_strokes(image: Image.Image, box: Box, background: Background, sign: int, side: int) -> FloatImage | None:
    """The opacity of the strokes in the box, 0 to 1, its longer side scaled to `side`; None if scaling leaves none."""
    left, top, right, bottom = (
        box[0] * image.width,
        box[1] * image.height,
        box[2] * image.width,
        box[3] * image.height,
    )
    size = _scale_size(right - left, bottom - top, side)
    crop = image.resize(size, Resampling.BILINEAR, box=(left, top, right, bottom), reducing_gap=3.0)
    contrast = sign * (np.asarray(crop, np.float32) - background.brightness(size, box))
    if contrast.max() < 1:
        return None
    full = np.percentile(contrast[contrast >= STROKE_THRESHOLD * contrast.max()], 75)
    opacity: FloatImage = np.clip((contrast / full - 0.1) / 0.8, 0, 1)
    return opacity


def _scale_size(width: float, height: float, side: int) -> tuple[int, int]:
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _stroke_width(strokes: FloatImage) -> float:
    """Twice the area over the perimeter; π/4 corrects a perimeter that is counted along the pixel grid."""
    mask = np.pad(strokes > 0.5, 1)
    perimeter = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    return 2 * np.count_nonzero(mask) / max(1.0, perimeter * np.pi / 4)


def _dilate(strokes: FloatImage, width: float) -> FloatImage:
    """Grayscale dilation by a disk, anti-aliased at its edge, that brings strokes to a width; wider ones are kept."""
    radius = (width - _stroke_width(strokes)) / 2
    if radius < 0.5:
        return strokes
    n = int(np.ceil(radius))
    padded = np.pad(strokes, 2 * n)
    dilated = np.zeros((strokes.shape[0] + 2 * n, strokes.shape[1] + 2 * n), np.float32)
    for down, right in np.ndindex(2 * n + 1, 2 * n + 1):
        weight = np.float32(min(1.0, radius + 0.5 - np.hypot(down - n, right - n)))
        if weight > 0:
            shifted = padded[down:, right:][: dilated.shape[0], : dilated.shape[1]]
            np.maximum(dilated, weight * shifted, out=dilated)
    return dilated


def _scale_to_box(strokes: FloatImage, side: int) -> FloatImage:
    """The strokes without empty margins, the longer side scaled to `side`, their usual opacity brought to 1."""
    mask = strokes > EDGE_THRESHOLD
    (top, bottom), (left, right) = _extent(mask, 0), _extent(mask, 1)
    crop = Image.fromarray(strokes[top:bottom, left:right])
    small = np.asarray(crop.resize(_scale_size(right - left, bottom - top, side), Resampling.BOX))
    scaled: FloatImage = np.clip(small / np.median(small[small >= small.max() / 2]), 0, 1)
    return scaled


def _center(strokes: FloatImage, size: tuple[int, int]) -> Gray:
    """The strokes on a black canvas, their center of mass at its center, without crossing its edge."""
    canvas = np.zeros(size, np.uint8)
    (top, left), (height, width) = (_offset(strokes.sum(axis=1 - axis), size[axis]) for axis in (0, 1)), strokes.shape
    canvas[top : top + height, left : left + width] = np.rint(strokes * 255)
    return canvas


def _offset(masses: FloatImage, length: int) -> int:
    """Where an axis of the strokes starts on the canvas; MNIST's mean center is at index 14.0 of 28, not at 13.5."""
    center = float(masses @ np.arange(masses.size) / masses.sum())
    return min(max(0, round(length / 2 - center)), length - masses.size)


# The background: paper under a lamp, a board in a dim room


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

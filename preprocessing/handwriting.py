"""Handwriting in the form of MNIST's images, so that what people draw or photograph looks like the training data.

Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits": the digits were size-normalized to fit a
box of 20 × 20 pixels with their aspect ratio kept, gray levels coming from the anti-aliasing, and then centered in
28 × 28 by their center of mass. Here the strokes are first separated from the background, which NIST's scanned forms
did not need: paper or a board, of any brightness, under any light.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

from preprocessing.strokes import MIN_CONTRAST, STROKE_THRESHOLD, Strokes, find_strokes, without_dust

BOX_SHARE = 20 / 28  # of the side that the handwriting fills
ANALYSIS_SIDE = 200  # pixels; strokes are located on a copy no larger, so a photograph costs little more than a sketch
FAST_BLOCK = 16  # pixels; Pillow averages larger blocks half as fast
SMALLEST_SIDE = 64  # pixels of the longer side; what is smaller is enlarged first
ENLARGED_SIDE = 56
TINY_SIDE = 32  # pixels of an image that may have been enlarged by repeating them
LARGEST_BLOCKS = 512  # pixels of its side thereafter
OVERSAMPLING = 4  # strokes are extracted and dilated at this many times their final size
STROKE_WIDTH = 2.3  # final pixels: the median of MNIST's own strokes, measured by `_stroke_width`
EDGE_THRESHOLD = 0.2  # of full opacity: MNIST's boxes include the gray edge of the strokes
FULL_INK = 250  # gray levels that the brightest pixel of MNIST's images reaches, all 70,000 of them
BLACK = 32  # gray levels that their border stays below, but for a tenth of it
PLAIN_BREADTH = 0.26  # of the strokes' size that they are broad on a plain page, at most
PLAIN_BORDER = 0.2  # of the strongest contrast that the border of a plain page varies by, at most

Gray = NDArray[np.uint8]  # [height, width]
FloatImage = NDArray[np.float32]  # [height, width]
FloatT = TypeVar("FloatT", bound=np.floating[Any])
Box = tuple[float, float, float, float]  # left, top, right, bottom, as fractions of the image


def is_mnist(pixels: Gray) -> bool:
    """Whether an image of the final size is in MNIST's form already: full ink on black, hardly any at the border."""
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return bool(pixels.max() >= FULL_INK and np.count_nonzero(border >= BLACK) <= 0.1 * border.size)


def to_mnist(pixels: Gray, size: tuple[int, int]) -> tuple[Gray, tuple[str, ...]]:
    """Convert handwriting to the form of MNIST's images: white strokes on black, scaled to a box and centered.

    `pixels` is uint8 [height, width] of any size, dark on light or light on dark; the result is uint8 of `size`
    (height, width), all black if there are no strokes. Also returns the names of the steps.
    """
    image = Image.fromarray(_without_blocks(pixels))
    blocks = image.reduce(4) if max(image.size) > FAST_BLOCK * ANALYSIS_SIDE else image
    copy = blocks.reduce(max(1, -(-max(blocks.size) // ANALYSIS_SIDE)))
    small = np.asarray(copy)
    if max(image.size) < SMALLEST_SIDE:
        factor = -(-ENLARGED_SIDE // max(image.size))
        image = copy = image.resize((image.width * factor, image.height * factor), Resampling.BICUBIC)
    levels = np.asarray(copy)
    ink = _plain_strokes(levels) or find_strokes(levels, _noise(small))
    side = max(1, round(min(size) * BOX_SHARE))
    strokes = None if ink is None else _extract_strokes(image, ink, side * OVERSAMPLING)
    if ink is None or strokes is None:
        return np.zeros(size, np.uint8), ("found no ink",)
    dilated = _dilate(strokes, STROKE_WIDTH * OVERSAMPLING)
    steps = {
        "inverted": ink.sign < 0,
        "cropped to ink": True,
        "thickened": dilated is not strokes,
        "centred": True,
        "found several pieces": ink.several,
    }
    return center(_scale_to_box(dilated, side), size), tuple(step for step, done in steps.items() if done)


def _without_blocks(pixels: Gray) -> Gray:
    """A tiny image that was enlarged by repeating its pixels, as it was; any other one as it is."""
    if max(pixels.shape) > LARGEST_BLOCKS:
        return pixels
    rows = np.flatnonzero((pixels[1:] != pixels[:-1]).any(axis=1)) + 1
    columns = np.flatnonzero((pixels[:, 1:] != pixels[:, :-1]).any(axis=0)) + 1
    side = int(np.gcd.reduce([*pixels.shape, *rows, *columns]))
    return pixels[::side, ::side] if TINY_SIDE * side >= max(pixels.shape) else pixels


def _noise(levels: Gray) -> float:
    """Standard deviation of the noise, from the small ones of neighbors' differences: strokes make the others."""
    if levels.shape[1] < 2 or max(levels.shape) < SMALLEST_SIDE // 4:
        return 0.0
    share, factor = (12.5, 4.5) if max(levels.shape) < SMALLEST_SIDE else (25, 2.2)  # few pixels are nearly all strokes
    small = float(np.percentile(np.abs(np.diff(levels[::2].astype(np.int16), axis=1)), share))
    return factor * (small + 0.5 if small >= 1 else small)  # whole numbers: half a level may be hidden


def _plain_strokes(levels: Gray) -> Strokes | None:
    """The ink of a page that is plain to see: one piece of thin strokes on paper of one level; None for any other."""
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    paper, lowest, highest = int(np.median(border)), int(levels.min()), int(levels.max())
    sign = 1 if highest - paper > paper - lowest else -1
    strongest = max(highest - paper, paper - lowest)
    other = min(highest - paper, paper - lowest)
    varies = int(border.max()) - int(border.min())
    if strongest < MIN_CONTRAST or max(varies, other) >= PLAIN_BORDER * strongest or min(levels.shape) < 3:
        return None
    edge = STROKE_THRESHOLD * strongest
    mask = levels > paper + edge if sign > 0 else levels < paper - edge
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    kept = np.zeros(mask.shape, np.bool_)
    kept[max(0, rows[0] - 1) : rows[-1] + 2, max(0, columns[0] - 1) : columns[-1] + 2] = True
    if part.shape != (rows.size, columns.size):  # there is a gap: dust, or several pieces
        clean = without_dust(mask)
        if clean is None:
            return None
        kept, part = clean, mask & clean
        part = part[part.any(axis=1)][:, part.any(axis=0)]
    ends = (part[:2].any(axis=0), part[-2:].any(axis=0)), (part[:, :2].any(axis=1), part[:, -2:].any(axis=1))
    framed = any(one.mean() > 0.7 and other.mean() > 0.7 for one, other in ends)
    broadest = PLAIN_BREADTH * max(part.shape)
    if _stroke_width(part.astype(np.float32)) > broadest or (framed and min(part.shape) > broadest):
        return None
    return Strokes(sign, kept, np.full(levels.shape, paper if sign < 0 else 255 - paper, np.uint8))


def _extent(mask: NDArray[np.bool_], axis: int) -> tuple[int, int]:
    """Along an axis: the first index and one past the last with anything true."""
    indices = np.flatnonzero(mask.any(axis=1 - axis))
    return int(indices[0]), int(indices[-1]) + 1


def _extract_strokes(image: Image.Image, ink: Strokes, side: int) -> FloatImage | None:
    """The opacity of the strokes, 0 to 1, in a box whose longer side is scaled to `side`; None if that leaves none."""
    (height, width), (top, bottom), (left, right) = ink.mask.shape, _extent(ink.mask, 0), _extent(ink.mask, 1)
    box = (left, top, right, bottom)
    across, down = image.width / width, image.height / height
    large = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
    size = scale_size(large[2] - large[0], large[3] - large[1], side)
    crop = image.resize(size, Resampling.BILINEAR, box=large, reducing_gap=3.0)
    paper = Image.fromarray(ink.paper).resize(size, Resampling.BILINEAR, box=box)
    mask = Image.fromarray(ink.mask.view(np.uint8) * np.uint8(255)).resize(size, Resampling.BILINEAR, box=box)
    levels = np.asarray(crop, np.float32)
    contrast = np.asarray(paper, np.float32) - (levels if ink.sign < 0 else 255 - levels)
    contrast *= np.minimum(np.asarray(mask, np.float32) / 96, 1)
    if contrast.max() < 1:
        return None
    full = np.percentile(contrast[contrast >= STROKE_THRESHOLD * contrast.max()], 75)
    opacity: FloatImage = np.clip((contrast / full - 0.1) / 0.8, 0, 1)
    return opacity


def scale_size(width: float, height: float, side: int) -> tuple[int, int]:
    """Width and height in whole pixels, the longer of which becomes `side`."""
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
    small = np.asarray(crop.resize(scale_size(right - left, bottom - top, side), Resampling.BOX))
    return full_opacity(small)


def full_opacity(strokes: NDArray[FloatT]) -> NDArray[FloatT]:
    """The strokes, of any scale, with their usual opacity brought to 1."""
    opacity: NDArray[FloatT] = np.clip(strokes / np.median(strokes[strokes >= strokes.max() / 2]), 0, 1)
    return opacity


def center(strokes: NDArray[np.floating[Any]], size: tuple[int, int]) -> Gray:
    """The strokes on a black canvas, their center of mass at its center, without crossing its edge."""
    canvas = np.zeros(size, np.uint8)
    (top, left), (height, width) = (_offset(strokes.sum(axis=1 - axis), size[axis]) for axis in (0, 1)), strokes.shape
    canvas[top : top + height, left : left + width] = np.rint(strokes * 255)
    return canvas


def _offset(masses: NDArray[np.floating[Any]], length: int) -> int:
    """Where an axis of the strokes starts on the canvas; MNIST's mean center is at index 14.0 of 28, not at 13.5."""
    center = float(masses @ np.arange(masses.size) / masses.sum())
    return min(max(0, round(length / 2 - center)), length - masses.size)

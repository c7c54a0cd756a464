"""Handwriting as MNIST's authors made it, so that what people draw looks like what the network learned from.

Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits": the digits were size-normalised to fit a
box of 20 × 20 with their aspect kept, grey levels coming from the anti-aliasing, and then centred in 28 × 28 by their
centre of mass. Before that stands what NIST's forms did not need: finding ink on any paper, under any light.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

from preprocessing.background import Background, Box, Levels, estimate_background

BOX_SHARE = 20 / 28  # of the side that the ink may fill
PAGE_SIDE = 256  # pixels; ink is found on a copy no larger than this, so a photograph costs little more than a sketch
DETAIL = 4  # strokes are worked on at this many times their final size
STROKE = 2.3  # final pixels: the median breadth of MNIST's own strokes, measured as `_breadth` measures
FAINTEST = 10  # grey levels of 255; less contrast than this is an empty page
NOISE_MARGIN = 5  # standard deviations of the paper's noise by which ink must stand out
INK_THRESHOLD = 0.3  # of the strongest ink; the ripples of JPEG around a stroke stay below a quarter
EDGE = 0.2  # of full ink: MNIST's boxes take in the grey rim of the strokes
CELL = 8  # pixels of the page's copy; ink that is farther apart than this is not one piece
SPECK = 0.05  # of the largest piece's ink; a smaller piece is dust

Gray = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Cell = tuple[int, int]


def to_mnist(pixels: Gray, size: tuple[int, int]) -> tuple[Gray, tuple[str, ...]]:
    """Ink in a picture of any size, uint8 [height, width], as MNIST would show it: white on black, uint8 of `size`.

    `size` is height, width. Also returns the words for what was done. A page without ink gives an empty one.
    """
    page = Image.fromarray(pixels)
    small = page.reduce(max(1, -(-max(page.size) // PAGE_SIDE)))
    levels = np.asarray(small, np.float32)
    paper = estimate_background(levels)
    relief = levels - paper.brightness(small.size)
    sign = _polarity(relief)
    box = _ink_box(sign * relief, paper.noise)
    side = max(1, round(min(size) * BOX_SHARE))
    thin = None if box is None else _strokes(page, box, paper, sign, side * DETAIL)
    if thin is None:
        return np.zeros(size, np.uint8), ("found no ink",)
    ink = _thickened(thin, STROKE * DETAIL)
    words = {"inverted": sign < 0, "cropped to ink": True, "thickened": ink is not thin, "centred": True}
    return _centred(_shrunk(ink, side), size), tuple(word for word, done in words.items() if done)


def _polarity(relief: Levels) -> int:
    """1 for ink lighter than the paper, -1 for darker: the side on which the relief has its long tail."""
    return 1 if float((relief * relief * relief).sum()) > 0 else -1


def _ink_box(relief: Levels, noise: float) -> Box | None:
    """Where the ink is, with a pixel around it; None if nothing stands out enough to be ink."""
    strongest = float(np.percentile(relief, 99.9))
    if strongest < max(FAINTEST, NOISE_MARGIN * noise):
        return None
    mask = _without_specks(relief > INK_THRESHOLD * strongest)
    (top, bottom), (left, right) = _extent(mask, 0), _extent(mask, 1)
    height, width = mask.shape
    return (
        max(0, left - 1) / width,
        max(0, top - 1) / height,
        min(width, right + 1) / width,
        min(height, bottom + 1) / height,
    )


def _extent(mask: Mask, axis: int) -> tuple[int, int]:
    """Along an axis: the first place and one past the last with anything true."""
    places = np.flatnonzero(mask.any(axis=1 - axis))
    return int(places[0]), int(places[-1]) + 1


def _without_specks(mask: Mask) -> Mask:
    rows, columns = (np.arange(0, length, CELL) for length in mask.shape)
    counts = np.add.reduceat(np.add.reduceat(mask, rows, axis=0, dtype=np.int64), columns, axis=1)
    pieces = _pieces({(int(row), int(column)) for row, column in np.argwhere(counts)})
    weights = [sum(int(counts[cell]) for cell in piece) for piece in pieces]
    kept = np.zeros(counts.shape, np.bool_)
    for piece, weight in zip(pieces, weights, strict=True):
        kept[tuple(zip(*piece, strict=True))] = weight >= SPECK * max(weights)
    return mask & kept.repeat(CELL, axis=0).repeat(CELL, axis=1)[: mask.shape[0], : mask.shape[1]]


def _pieces(cells: set[Cell]) -> list[list[Cell]]:
    """Cells that touch, corners included, belong together. Empties the set."""
    pieces = []
    while cells:
        piece = [cells.pop()]
        for row, column in piece:
            near = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & cells
            cells -= near
            piece.extend(near)
        pieces.append(piece)
    return pieces


def _strokes(page: Image.Image, box: Box, paper: Background, sign: int, side: int) -> Levels | None:
    """The ink in the box, 0 to 1, its longer side brought to `side`; None where that averages it away."""
    left, top, right, bottom = box[0] * page.width, box[1] * page.height, box[2] * page.width, box[3] * page.height
    size = _scaled(right - left, bottom - top, side)
    cut = page.resize(size, Resampling.BILINEAR, box=(left, top, right, bottom), reducing_gap=3.0)
    relief = sign * (np.asarray(cut, np.float32) - paper.brightness(size, box))
    if relief.max() < 1:
        return None
    full = np.percentile(relief[relief >= INK_THRESHOLD * relief.max()], 75)
    ink: Levels = np.clip((relief / full - 0.1) / 0.8, 0, 1)
    return ink


def _scaled(width: float, height: float, side: int) -> tuple[int, int]:
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _breadth(ink: Levels) -> float:
    """Twice the area over the outline; π/4 makes up for an outline that is counted along the grid."""
    mask = np.pad(ink > 0.5, 1)
    outline = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    return 2 * np.count_nonzero(mask) / max(1.0, outline * np.pi / 4)


def _thickened(ink: Levels, breadth: float) -> Levels:
    """Strokes at least so broad: each pixel takes the strongest ink of a disc around it, whose rim counts in part."""
    reach = (breadth - _breadth(ink)) / 2
    if reach < 0.5:
        return ink
    n = int(np.ceil(reach))
    padded = np.pad(ink, 2 * n)
    thick = np.zeros((ink.shape[0] + 2 * n, ink.shape[1] + 2 * n), np.float32)
    for down, right in np.ndindex(2 * n + 1, 2 * n + 1):
        weight = np.float32(min(1.0, reach + 0.5 - np.hypot(down - n, right - n)))
        if weight > 0:
            np.maximum(thick, weight * padded[down:, right:][: thick.shape[0], : thick.shape[1]], out=thick)
    return thick


def _shrunk(ink: Levels, side: int) -> Levels:
    """The ink without its empty margins, its longer side brought to `side`, its usual level to 1."""
    mask = ink > EDGE
    (top, bottom), (left, right) = _extent(mask, 0), _extent(mask, 1)
    cut = Image.fromarray(ink[top:bottom, left:right])
    small = np.asarray(cut.resize(_scaled(right - left, bottom - top, side), Resampling.BOX))
    shrunk: Levels = np.clip(small / np.median(small[small >= small.max() / 2]), 0, 1)
    return shrunk


def _centred(ink: Levels, size: tuple[int, int]) -> Gray:
    """The ink on a black canvas, centre of mass at the centre, but never over the canvas's edge."""
    canvas = np.zeros(size, np.uint8)
    (top, left), (height, width) = (_offset(ink.sum(axis=1 - axis), size[axis]) for axis in (0, 1)), ink.shape
    canvas[top : top + height, left : left + width] = np.rint(ink * 255)
    return canvas


def _offset(masses: Levels, length: int) -> int:
    """Where the axis starts on the canvas; MNIST's own mean centre is at index 14.0 of 28, not at 13.5."""
    centre = float(masses @ np.arange(masses.size) / masses.sum())
    return min(max(0, round(length / 2 - centre)), length - masses.size)

"""Handwriting that fills its frame, as in a tight crop, or that the frame cuts: two gray levels tell it from the paper.

There the paper is in pieces, none of which needs to be at the border, and no window shows its level.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocessing.components import Components, border, find_components, quantile, spread

Gray = NDArray[np.uint8]  # [height, width]
Mask = NDArray[np.bool_]  # [height, width]

EDGE = 0.15  # of the contrast that is between the levels within five pixels, where the image is enlarged from a few
ON_EDGES = 0.7  # of the outline
BROADEST = 0.36  # breadth by size of a digit that fills the frame
MOST_BORDER = 0.55  # of the border's pixels that the strokes touch
MOST_BORDER_NARROW = 0.9  # in a narrow frame: an upright 1 leaves little of it
LARGE = 0.15  # of the shorter side; a piece of that size away from the border is what is written, and the rest a frame
WIDE, NARROW = 0.85, 0.3  # of the frame's sides that strokes which fill it span
FILLS = 0.6  # of either side, where they leave a margin all around
HALF = 0.88  # of the pixels that a straight line puts on their side; a digit's strokes are below 0.85
DUST = 0.05  # of the largest piece's pixels; a smaller one is dust


@dataclass(frozen=True)
class Rival:
    """What was found elsewhere: its sign, breadth by size, and worth. A sign of 0 stands for nothing."""

    sign: int = 0
    breadth: float = BROADEST
    worth: float = 0.0


def fill_frame(levels: Gray, floor: float, rival: Rival, *, cut: bool) -> tuple[int, Mask] | None:
    """The sign and the pixels of strokes that fill the frame, or with `cut` of any that the border cuts.

    None without, where the levels differ by less than `floor`, or where the rival is more like strokes.
    """
    low, high = quantile(levels, 0.02), quantile(levels, 0.98)
    if high - low < floor:
        return None
    dark, edges = levels <= _split(levels), spread(levels) > EDGE * (high - low)
    best, most = None, 0.0
    for sign, mask in ((-1, dark), (1, ~dark)):
        breadth, spanned = _measure(mask, edges, cut=cut)
        worth = 0.8 * spanned**0.5 / (0.1 + breadth) ** 2 if spanned else 0.0
        if worth > most and _wins(sign, breadth, worth, rival):
            best, most = (sign, mask), worth
    return best


def _wins(sign: int, breadth: float, worth: float, rival: Rival) -> bool:
    """Whether strokes that fill the frame are more likely than the rival: it may be their part, or their hole."""
    if sign == rival.sign:
        return breadth < 1.4 * rival.breadth
    return breadth < min(BROADEST, max(rival.breadth, min(0.28, 1.3 * rival.breadth))) and worth > rival.worth


def _measure(mask: Mask, edges: Mask, *, cut: bool) -> tuple[float, float]:
    """Breadth by size of the largest piece, and the share of the frame's sides that all span; 0 if it is no digit."""
    none = BROADEST, 0.0
    if border(mask).mean() > (MOST_BORDER if max(mask.shape) < 2 * min(mask.shape) else MOST_BORDER_NARROW):
        return none
    components = find_components(mask)
    if not len(components.area):
        return none
    height, width = mask.shape
    boxes, main = components.box, int(np.argmax(components.area))
    sides = (boxes[:, 0] == 0) * 1 + (boxes[:, 1] == 0) + (boxes[:, 2] == width) + (boxes[:, 3] == height)
    sizes = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    own = (boxes[main, 2:] - boxes[main, :2]) / np.array([width, height])
    inner = (sides == 0) & (sizes > LARGE * min(height, width))
    inner[main] &= own.min() < FILLS or own.max() < WIDE
    kept = boxes[components.area >= DUST * components.area[main]]
    spans = (kept[:, 2:].max(axis=0) - kept[:, :2].min(axis=0)) / np.array([width, height])
    narrow, wide = float(spans.min()), float(spans.max())
    if inner.any() or (sides[main] >= 3 and own.min() < NARROW) or (narrow < NARROW and not cut):
        return none
    if (wide < 0.2 or sides[main] == 0) if cut else (wide < WIDE or (sides[main] == 1 and narrow < WIDE)):
        return none
    breadth, on_edges = _outline(components, main, edges)
    if breadth > BROADEST or on_edges < ON_EDGES or _is_half(mask):
        return none
    return breadth, narrow


def _outline(components: Components, main: int, edges: Mask) -> tuple[float, float]:
    """Breadth by size of a piece, and the share of its outline within the frame that is on edges."""
    piece = components.mask_of([main])
    down, right = piece[1:] != piece[:-1], piece[:, 1:] != piece[:, :-1]
    length = np.count_nonzero(down) + np.count_nonzero(right)
    on_edges = np.count_nonzero(down & edges[1:]) + np.count_nonzero(right & edges[:, 1:])
    length_with_border = length + np.count_nonzero(piece[[0, -1]]) + np.count_nonzero(piece[:, [0, -1]])
    size = float((components.box[main, 2:] - components.box[main, :2]).max())
    breadth = 2 * float(components.area[main]) / (max(1, int(length_with_border)) * float(np.pi) / 4) / size
    return breadth, int(on_edges) / max(1, int(length))


def _is_half(mask: Mask) -> bool:
    """Whether a straight line divides the picture into the mask and the rest, as a shadow's edge or a table's does."""
    rows, columns = np.indices(mask.shape).reshape(2, -1)[:, ::7]
    terms = np.stack([np.ones(rows.size), rows, columns], axis=1)
    chosen = mask.ravel()[::7]
    plane = np.linalg.solve(terms.T @ terms + 1e-6 * np.eye(3), terms.T @ chosen)
    return bool(np.mean((terms @ plane > 0.5) == chosen) > HALF)


def _split(levels: Gray) -> int:
    """Otsu's threshold: the level that divides the picture into two classes that differ most."""
    counts = np.bincount(levels.ravel(), minlength=256).astype(np.float64)
    below, mass = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    between = (mass[-1] * below / below[-1] - mass) ** 2 / np.maximum(1, below * (below[-1] - below))
    return int(np.argmax(between))

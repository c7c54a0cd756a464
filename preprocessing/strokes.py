"""Which pixels of a page are ink, where it is not plain to see: pages with edges, tables, frames, shadows, lines.

Paper is what is left when everything narrower than a window is filled: a grayscale closing, whose windows may hang over
the picture's border, so that a strip or a corner along the border counts as ground, not as ink. What deviates from the
paper is ink if its whole outline is an edge and reaches the paper. Light and dark are tried alike, and the thinner one
is the ink: the paper between two strokes, or between a stroke and a frame, is broader than a pen, or has no outline.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocessing.components import Components, border, find_components, grow, quantile, slide, spread, surround
from preprocessing.tight_crops import BROADEST, DUST, Rival, fill_frame

Gray = NDArray[np.uint8]  # [height, width]
Mask = NDArray[np.bool_]  # [height, width]

MIN_CONTRAST = 10  # gray levels of 255; an image with less is empty
NOISE_MARGIN = 5  # standard deviations of the picture's noise that the strongest contrast must exceed
STROKE_THRESHOLD = 0.3  # of the strongest contrast; JPEG artifacts around a stroke stay below a quarter
WINDOW = 0.4  # of the shorter side: no stroke of a page is as broad
NARROW_WINDOW = 0.2  # the same where paper between strokes and a frame could be taken for strokes
MIN_OUTLINE = 0.85  # of a piece's outline that must be an edge
MIN_EDGE = 0.3  # of the strongest contrast within five pixels
PAPER_REACHED = 0.4  # of the strongest contrast, at most between the outline and the paper
MOST_PIECES = 12  # of either sign that are looked at, the largest
MIN_SIZE = 0.12  # of the shorter side; smaller pieces count only where there are no larger ones
THIN = 0.2  # breadth by size: pens are thinner, fingers, holes and paper broader
NEAR = 0.2  # of the digit's size: what is nearer belongs to it, whatever it is


@dataclass(frozen=True)
class Strokes:
    """Their sign (1 lighter than the paper, -1 darker), pixels with their neighbors, and the level of the paper."""

    sign: int
    mask: Mask
    paper: Gray
    several: bool = False


@dataclass(frozen=True, eq=False)
class Piece:
    """A component that may be ink: `breadth` is that of its strokes as a share of its size."""

    index: int
    sign: int
    box: tuple[int, int, int, int]
    area: float
    sides: int  # of the picture that it touches
    breadth: float

    @property
    def size(self) -> int:
        """The longer side of the box."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def worth(self) -> float:
        """How much it looks like strokes of a pen: large and thin."""
        return self.size / (0.1 + self.breadth) ** 2

    @property
    def at_border(self) -> bool:
        """Whether it is something that the picture's border cuts, rather than a stroke that just reaches it."""
        return self.sides > 1 or (self.sides == 1 and self.breadth >= THIN)

    def holds(self, other: "Piece") -> bool:
        """Whether its box contains the other's."""
        (left, top, right, bottom), inner = self.box, other.box
        return left < inner[0] and top < inner[1] and right > inner[2] and bottom > inner[3]

    def gap(self, other: "Piece") -> int:
        """Between the boxes, along the axis where they are farther apart; negative where they overlap."""
        (left, top, right, bottom), apart = self.box, other.box
        return max(apart[0] - right, left - apart[2], apart[1] - bottom, top - apart[3])


@dataclass(frozen=True)
class Layer:
    """What is darker (sign -1) or lighter (1) than the paper, by how much, and its components."""

    sign: int
    values: Gray  # the picture, dark where the ink is
    paper: Gray
    contrast: Gray


@dataclass(frozen=True)
class Analysis:
    """What of a picture may be ink, by one width of the window."""

    strongest: int
    layers: dict[int, Layer]
    components: dict[int, Components]
    pieces: list[Piece]
    roots: list[Piece]
    side: int  # the picture's shorter one

    @property
    def free(self) -> list[Piece]:
        """What the picture's border does not cut."""
        return [piece for piece in self.roots if not piece.at_border]

    @property
    def lead(self) -> Piece | None:
        """The piece that looks most like strokes, of those that are large enough to be a digit."""
        large = (piece for piece in self.free if piece.size > MIN_SIZE * self.side)
        return max(large, key=lambda piece: piece.worth, default=None)

    def is_doubtful(self, piece: Piece) -> bool:
        """Whether something of the other sign overlaps a piece that looks nearly as much like strokes."""
        others = [other for other in self.pieces if other.sign != piece.sign and piece.gap(other) < 0]
        return any(other.worth > 0.5 * piece.worth for other in others)

    def strokes(self, lead: Piece) -> Strokes:
        """The leading piece with all that belongs to it."""
        kept, layer = _belonging(lead, self.free), self.layers[lead.sign]
        mask = self.components[lead.sign].mask_of([piece.index for piece in kept])
        return Strokes(lead.sign, mask, layer.paper, _are_several(kept))


def find_strokes(levels: Gray, noise: float) -> Strokes | None:
    """The ink of a gray picture, None if it has none; `noise` is the standard deviation of the picture's."""
    side, floor = min(levels.shape), max(MIN_CONTRAST, NOISE_MARGIN * noise)
    analysis = _analyse(levels, WINDOW)
    if analysis.strongest < floor:
        return _fill(levels, floor, None, cut=True)
    lead = analysis.lead
    if lead and analysis.is_doubtful(lead):
        narrow = _analyse(levels, NARROW_WINDOW)
        if narrow.lead and narrow.lead.sign != lead.sign:
            analysis, lead = narrow, narrow.lead
    if lead is None or lead.breadth >= THIN or lead.size <= 0.3 * side or _is_uneven(levels, analysis.strongest):
        filling = _fill(levels, floor, lead, cut=False)
        if filling:
            return filling
    lead = lead or _cut_by_border(analysis.roots, side)
    if lead is None:
        filling = _fill(levels, floor, None, cut=True)
        if filling or not analysis.free:
            return filling
        lead = max(analysis.free, key=lambda piece: piece.worth)
    return analysis.strokes(lead)


def _analyse(levels: Gray, window: float) -> Analysis:
    layers = {sign: _layer(levels, sign, window) for sign in (-1, 1)}
    strongest = max(quantile(layer.contrast, 0.999) for layer in layers.values())
    edges, side = spread(levels) > MIN_EDGE * strongest, min(levels.shape)
    pairs = {sign: _pieces(layer, strongest, edges) for sign, layer in layers.items()}
    pieces = [piece for _, those in pairs.values() for piece in those]
    components = {sign: part for sign, (part, _) in pairs.items()}
    return Analysis(strongest, layers, components, pieces, _roots(pieces, side), side)


def _is_sheet(piece: Piece, holes: list[Piece], side: int) -> bool:
    """Whether a piece is a sheet with strokes on it, rather than strokes, whose largest hole is broader than they."""
    largest = max((hole for hole in holes if hole.size > 0.1 * side), key=lambda hole: hole.area, default=None)
    return largest is not None and piece.breadth > 0.25 and largest.breadth < 0.85 * piece.breadth


def _fill(levels: Gray, floor: float, lead: Piece | None, *, cut: bool) -> Strokes | None:
    """Strokes that fill the frame, or with `cut` that the border cuts, if they are more likely than the lead."""
    rival = Rival(lead.sign, lead.breadth, lead.worth / min(levels.shape)) if lead else Rival()
    found = fill_frame(levels, floor, rival, cut=cut)
    if found is None:
        return None
    sign, mask = found
    paper = quantile((levels if sign < 0 else 255 - levels)[~mask], 0.5)
    return Strokes(sign, grow(mask), np.full(levels.shape, paper, np.uint8))


def _is_uneven(levels: Gray, strongest: int) -> bool:
    """Whether the border is of more than one level: something is cut by it."""
    edge = border(levels)
    return int(edge.max()) - int(edge.min()) > 0.5 * strongest


def _cut_by_border(roots: list[Piece], side: int) -> Piece | None:
    """Thin strokes that the border cuts at one side or two."""
    cut = [piece for piece in roots if piece.at_border and piece.sides <= 2 and piece.breadth < THIN]
    return max((piece for piece in cut if piece.size > THIN * side), key=lambda piece: piece.worth, default=None)


def without_dust(mask: Mask) -> Mask | None:
    """The largest piece of the mask with its neighbors, if all others are dust, else None."""
    components = find_components(grow(mask))
    largest = int(np.argmax(components.area))
    if np.count_nonzero(components.area >= DUST * components.area[largest]) > 1:
        return None
    return components.mask_of([largest])


def _belonging(lead: Piece, pieces: list[Piece]) -> list[Piece]:
    """The leading piece, and what else is ink: other strokes as large, and what is near, without dust."""
    same = [piece for piece in pieces if piece.sign == lead.sign and piece is not lead]
    most = max([lead.area, *(piece.area for piece in same)])
    return [
        lead,
        *(
            piece
            for piece in same
            if piece.area >= DUST * most
            and ((piece.breadth < BROADEST and piece.size > 0.3 * lead.size) or piece.gap(lead) < NEAR * lead.size)
        ),
    ]


def _are_several(pieces: list[Piece]) -> bool:
    """Whether two of the pieces are characters of their own: beside or above each other, and about as large."""
    largest = max(piece.size for piece in pieces)
    tall = [piece for piece in pieces if piece.size > 0.5 * largest]
    return any(one.gap(other) > 0.08 * largest for one in tall for other in tall if one is not other)


def _layer(levels: Gray, sign: int, share: float) -> Layer:
    values = levels if sign < 0 else 255 - levels
    window = max(3, int(min(levels.shape) * share)) if min(levels.shape) > 2 else max(levels.shape)
    paper = _close(values, window)
    contrast = paper - values
    bias = np.uint8(quantile(contrast, 0.5))  # the noise's: the paper follows its peaks
    return Layer(sign, values, paper - bias, np.maximum(contrast, bias) - bias)


def _pieces(layer: Layer, strongest: float, edges: Mask) -> tuple[Components, list[Piece]]:
    """The components whose outline is an edge all around."""
    mask = grow(layer.contrast > STROKE_THRESHOLD * strongest)
    components = find_components(mask)
    inner = surround(mask.view(np.uint8), 1).view(np.bool_)
    rows, columns = np.nonzero(mask & ~(inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]))
    within = (rows > 0) & (columns > 0) & (rows < mask.shape[0] - 1) & (columns < mask.shape[1] - 1)
    rows, columns = rows[within], columns[within]
    paper = slide(np.maximum, surround(layer.paper, 1), 3)[rows, columns].astype(np.int16)
    ends = (paper - layer.values[rows, columns] < PAPER_REACHED * strongest) & edges[rows, columns]
    outline = np.maximum(1, components.count(rows, columns))
    closed = components.count(rows, columns, ends) / outline
    order = np.argsort(-components.area)[:MOST_PIECES]
    pieces = []
    for index in order:
        left, top, right, bottom = map(int, components.box[index])
        breadth = (
            2 * max(1.0, components.area[index] - outline[index]) / outline[index] / max(right - left, bottom - top)
        )
        sides = (left == 0) + (top == 0) + (right == mask.shape[1]) + (bottom == mask.shape[0])
        box, area = (left, top, right, bottom), float(components.area[index])
        if closed[index] >= MIN_OUTLINE:
            pieces.append(Piece(int(index), layer.sign, box, area, sides, float(breadth)))
    return components, pieces


def _roots(pieces: list[Piece], side: int) -> list[Piece]:
    """The pieces that are no frame around others, no paper in a frame, no sheet with ink on it, no stroke's hole."""
    dropped: set[Piece] = set()
    roots = []
    for piece in sorted(pieces, key=lambda piece: -piece.size):
        if piece in dropped:
            continue
        inside = [other for other in pieces if piece.holds(other)]
        holes = [other for other in inside if other.sign != piece.sign]
        alike = [other for other in inside if other.sign == piece.sign]
        alike = [other for other in alike if other.size > max(0.25 * piece.size, 0.1 * side)]
        if alike:
            dropped.update(hole for hole in holes if any(hole.holds(other) for other in alike))
        elif not _is_sheet(piece, holes, side):
            roots.append(piece)
            dropped.update(holes)
    return roots


def _close(values: Gray, window: int) -> Gray:
    """The lowest of the highest values of the windows that hold a pixel, also of windows that hang over the border."""
    highest = slide(np.maximum, surround(values, window - 1), window)
    return slide(np.minimum, highest, window)

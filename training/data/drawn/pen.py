"""A pen on paper: the strokes of a glyph in one hand, in the form of MNIST's images as the service prepares them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from preprocessing.handwriting import center, full_opacity, scale_size
from training.data.drawn.glyphs import Glyph

Path = NDArray[np.float64]  # [points, 2], x and y
Gray = NDArray[np.uint8]  # [height, width]

SIZE = (28, 28)
BOX = 20  # pixels: the longer side of MNIST's digits
SIDE = 4 * BOX  # of a drawing on its paper, so that edges come out soft
_SAMPLES = 7  # of a curve between two of its points
_IS_STROKE = [0] * 51 + [255] * 205  # a fifth of full opacity: the box includes the gray edge of the strokes


@dataclass(frozen=True)
class Hand:
    """How somebody writes: lengths as shares of the height of a glyph, angles in radians."""

    pen: float  # the width of the line, as a share of the drawing's longer side
    pressure: float  # how far that changes along a stroke, as a share of it
    nib: float  # how much narrower the line is across the nib's direction; 0 for a round pen
    aspect: float  # width of a glyph to its height
    slant: float
    tilt: float
    looseness: float  # standard deviation of the points
    sway: float  # of the smooth bend of the whole glyph
    softness: float  # radius of the blur at the edges, as a share of the drawing's longer side


def pick_hand(rng: np.random.Generator, broadest: float = 0.22) -> Hand:
    """A hand at random: lines of 2 to 4.5 pixels of MNIST's, if so broad, upright or leaning to either side."""
    return Hand(
        pen=float(np.exp(rng.uniform(np.log(0.1), np.log(broadest)))),
        pressure=rng.choice([0.0, 0.0, rng.uniform(0.1, 0.5)]),
        nib=rng.choice([0.0, 0.0, 0.0, rng.uniform(0.2, 0.6)]),
        aspect=rng.choice([rng.uniform(0.45, 0.95), rng.uniform(0.8, 1.4)], p=[0.85, 0.15]),
        slant=rng.normal(0.1, 0.2),
        tilt=rng.normal(0, rng.choice([0.09, 0.25], p=[0.85, 0.15])),
        looseness=rng.uniform(0.005, 0.035),
        sway=rng.uniform(0, 0.03),
        softness=rng.uniform(0, 0.03),
    )


def trace(glyph: Glyph, hand: Hand, rng: np.random.Generator) -> list[Path]:
    """The paths of the pen, the glyph's box being one high, its centre at 0."""
    waves, phases = rng.normal(0, hand.sway, (2, 2, 2)), rng.uniform(0, 2 * np.pi, (2, 2))
    cosine, sine = np.cos(hand.tilt), np.sin(hand.tilt)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    paths = []
    for stroke in glyph:
        path = _join(stroke, hand.looseness, rng) + rng.normal(0, hand.looseness, 2)
        x, y = (path[:, 0] - 0.5) * hand.aspect, path[:, 1] - 0.5
        path = np.stack([x - y * hand.slant, y], axis=1)
        for axis in (0, 1):
            path = path + np.sin(path[:, axis, None] * 2 * np.pi + phases[axis]) * waves[axis].sum(axis=0)
        paths.append(path @ turn)
    return paths


def _join(stroke: list[Path], looseness: float, rng: np.random.Generator) -> Path:
    """The curves of a stroke one after the other, their points a little off; where two meet they still do."""
    joined, start = [], None
    for curve in stroke:
        points = curve + rng.normal(0, looseness, curve.shape)
        if start is not None:
            points[0] = start
        joined.append(_smooth(points))
        start = points[-1]
    return np.concatenate(joined)


def _smooth(points: Path) -> Path:
    """Cubic Hermite curves whose tangents are half the way from the point before to the one after."""
    if len(points) < 3:
        return points
    tangents = np.gradient(points, axis=0)
    t = np.linspace(0, 1, _SAMPLES, endpoint=False)[:, None, None]
    curves = (
        (2 * t**3 - 3 * t**2 + 1) * points[:-1]
        + (t**3 - 2 * t**2 + t) * tangents[:-1]
        + (3 * t**2 - 2 * t**3) * points[1:]
        + (t**3 - t**2) * tangents[1:]
    )
    return np.concatenate([curves.swapaxes(0, 1).reshape(-1, 2), points[-1:]])


def render(paths: list[Path], hand: Hand, rng: np.random.Generator) -> Gray:
    """The paths as MNIST has its images, uint8 [28, 28]: in a box of 20 × 20, its mass in the middle, white on black.

    The service brings pictures to the same form (`preprocessing.handwriting`), thin lines to the same width as here the
    thinnest. Where line and paper are is known here, which makes it ten times as fast.
    """
    points = np.concatenate(paths)
    lowest, extent = points.min(axis=0), float(np.ptp(points, axis=0).max())
    scale, margin = SIDE * (1 - hand.pen) / max(extent, 1e-3), SIDE * (hand.pen + 2 * hand.softness) + 2
    width, height = np.ceil((points.max(axis=0) - lowest) * scale + 2 * margin).astype(int).tolist()
    image = Image.new("L", (width, height))
    pencil = ImageDraw.Draw(image)
    nib = rng.uniform(0, np.pi)
    for path in paths:
        _line(pencil, (path - lowest) * scale + margin, hand, nib, rng)
    if hand.softness * SIDE > 0.3:
        image = image.filter(ImageFilter.GaussianBlur(hand.softness * SIDE))
    return _boxed(image)


def write(glyphs: list[Glyph], hand: Hand, rng: np.random.Generator) -> Gray:
    """One of the glyphs."""
    return render(trace(glyphs[rng.integers(len(glyphs))], hand, rng), hand, rng)


def _boxed(image: Image.Image) -> Gray:
    """The drawing's longer side scaled to the box, the usual opacity to full white, the mass centred."""
    crop = image.crop(image.point(_IS_STROKE).getbbox())
    small = np.asarray(crop.resize(scale_size(*crop.size, BOX), Image.Resampling.BOX), np.float64)
    return center(full_opacity(small), SIZE)


def _line(pencil: ImageDraw.ImageDraw, path: Path, hand: Hand, nib: float, rng: np.random.Generator) -> None:
    """One stroke; a round end at each of its points, so that it has no gaps at corners."""
    steps = np.diff(path, axis=0)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])
    wave = np.sin(rng.uniform(0, 2 * np.pi) + along / SIDE * rng.uniform(2, 8))
    widths = hand.pen * SIDE * (1 + hand.pressure * wave)
    direction = np.arctan2(steps[:, 1], steps[:, 0])
    across = 1 - hand.nib * np.abs(np.cos(direction - nib))
    widths = np.maximum(1.5, widths * np.append(across, across[-1]))
    corners = list(map(tuple, path.tolist()))
    for start, end, width in zip(corners, corners[1:], widths.tolist(), strict=False):
        pencil.line((start, end), fill=255, width=round(width))
    for (x, y), width in zip(corners, widths.tolist(), strict=True):
        pencil.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)

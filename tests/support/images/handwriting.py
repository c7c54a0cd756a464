"""Digits as people write them: strokes of a pen on a page of 400 × 300, in many handwritings, inks and file formats.

Every digit has several allographs (a 4 open or closed, a 7 with or without its bar); a hand adds its slant, its
proportions, its pen and its unsteadiness. All randomness comes from the generator passed in.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

PAGE = (400, 300)
SUPERSAMPLING = 2
BROADEST_PEN = 1 / 7  # of the digit's height; a broader one closes the loops of 6, 8 and 9 for people, too

Points = NDArray[np.float64]  # [points, 2], x and y
Coverage = NDArray[np.float32]  # [300, 400], 0 where there is paper, 1 where there is ink
Form = Callable[[Coverage, np.random.Generator], bytes]

# Strokes through points x,y in hundredths of a box, y downwards; a point given twice is a corner, a bar lifts the pen.
ALLOGRAPHS: dict[int, tuple[str, ...]] = {
    0: (
        "50,0 15,20 2,50 15,82 50,100 85,82 98,50 85,20 50,0",
        "62,5 30,6 4,50 30,96 75,90 97,45 70,6 42,10",
        "72,6 30,10 5,55 35,98 80,88 96,45 80,14 62,2",
    ),
    1: (
        "50,0 49,50 50,100",
        "20,26 55,0 55,0 54,50 55,100",
        "20,22 52,0 52,0 52,50 52,100 | 15,100 90,99",
    ),
    2: (
        "8,25 30,3 65,2 88,22 75,50 5,100 5,100 95,100",
        "10,25 35,2 75,5 88,30 65,62 30,93 8,96 10,81 30,80 62,96 98,93",
        "5,20 40,0 85,14 80,40 5,100 5,100 40,93 95,100",
    ),
    3: (
        "10,12 45,0 85,15 78,38 40,48 40,48 82,58 92,82 50,100 5,88",
        "10,2 88,2 88,2 42,42 42,42 82,53 90,82 50,100 5,90",
        "10,10 50,0 85,20 60,44 35,50 40,42 68,48 92,72 60,98 5,90",
    ),
    4: (
        "15,2 8,35 5,60 5,60 95,58 | 72,10 70,50 66,100",
        "68,0 68,0 3,66 3,66 98,66 | 68,0 68,50 68,100",
        "25,0 6,50 20,62 90,52 | 85,5 80,50 75,100",
    ),
    5: (
        "90,2 25,2 25,2 15,42 15,42 50,36 90,55 85,85 45,100 5,90",
        "22,3 15,42 15,42 55,35 92,62 75,93 35,100 5,92 | 22,3 95,0",
        "85,5 40,4 20,20 25,42 60,45 90,65 70,95 10,95",
    ),
    6: (
        "75,2 35,20 10,55 12,85 45,100 85,85 82,60 50,52 15,68",
        "55,0 20,45 8,75 30,99 75,95 85,70 50,58 15,72",
        "88,14 65,1 30,20 8,60 20,93 55,100 88,80 70,56 35,58 12,75",
    ),
    7: (
        "5,4 95,3 95,3 60,50 35,100",
        "5,4 95,3 95,3 60,50 35,100 | 22,51 88,48",
        "8,20 10,2 10,2 95,4 95,4 58,50 45,100",
        "2,6 50,10 95,2 95,2 60,35 48,70 45,100",
    ),
    8: (
        "80,15 45,0 15,18 35,42 75,62 85,85 45,100 10,83 30,58 70,38 85,18 75,8",
        "50,0 20,10 20,36 50,46 80,36 80,10 50,0 | 50,46 12,60 12,88 50,100 88,88 88,60 50,46",
        "86,10 50,1 18,20 40,45 80,68 75,94 40,100 12,82 35,58 72,35 95,2",
    ),
    9: (
        "85,20 50,0 12,18 20,45 60,46 86,18 86,18 84,60 80,100",
        "85,20 50,0 12,20 25,48 65,46 88,20 88,20 88,65 72,93 40,100 12,92",
        "80,10 40,2 10,25 35,48 75,32 87,5 87,5 72,55 55,100",
    ),
}


@dataclass(frozen=True)
class Hand:
    """A writer's hand: lengths in pixels, angles in radians, `looseness` as a share of the digit's height."""

    size: float
    pen: float
    aspect: float
    slant: float
    tilt: float
    looseness: float


@dataclass(frozen=True)
class Handwritten:
    """A digit on its page, as the bytes of an image file."""

    label: int
    form: str
    hand: Hand
    content: bytes


def write_digits(rounds: int, seed: int) -> Iterator[Handwritten]:
    """`rounds` × 10 digits; in each round every digit once, in forms that take turns."""
    rng = np.random.default_rng(seed)
    for index in range(rounds * 10):
        label, form = index % 10, list(FORMS)[(index + index // 10) % len(FORMS)]
        hand = some_hand(rng)
        yield Handwritten(label, form, hand, FORMS[form](draw(label, hand, rng), rng))


def some_hand(rng: np.random.Generator) -> Hand:
    """A random hand: pens from 2 to 24 pixels, digits from 90 to 260 pixels high."""
    size = rng.uniform(90, 260)
    return Hand(
        size=size,
        pen=min(float(np.exp(rng.uniform(np.log(2), np.log(24)))), size * BROADEST_PEN),
        aspect=rng.uniform(0.5, 0.8),
        slant=rng.normal(0.12, 0.15),
        tilt=rng.normal(0, 0.06),
        looseness=rng.uniform(0.012, 0.045),
    )


def draw(label: int, hand: Hand, rng: np.random.Generator) -> Coverage:
    """One of the digit's allographs, in that hand, somewhere on the page."""
    allographs = ALLOGRAPHS[label]
    strokes = _strokes(allographs[rng.integers(len(allographs))])
    paths = _placed([_in_hand(_smooth(_shaken(stroke, hand, rng)), hand) for stroke in strokes], hand, rng)
    canvas = Image.new("L", (PAGE[0] * SUPERSAMPLING, PAGE[1] * SUPERSAMPLING))
    for path in paths:
        _ink(canvas, path * SUPERSAMPLING, hand.pen * SUPERSAMPLING, rng)
    return np.asarray(canvas.resize(PAGE, Image.Resampling.BOX), np.float32) / np.float32(255)


def _strokes(allograph: str) -> list[Points]:
    return [np.array([point.split(",") for point in stroke.split()], float) / 100 for stroke in allograph.split("|")]


def _shaken(points: Points, hand: Hand, rng: np.random.Generator) -> Points:
    """The stroke's points, each a little off; a corner's two points stay together."""
    noise = rng.normal(0, hand.looseness, points.shape) * (1 / hand.aspect, 1)
    repeated = (points[1:] == points[:-1]).all(axis=1)
    noise[1:][repeated] = noise[:-1][repeated]
    return points + noise


def _smooth(points: Points) -> Points:
    """A Catmull-Rom spline through the points, 24 samples a piece."""
    p = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, 24)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return np.concatenate(pieces)


def _in_hand(path: Points, hand: Hand) -> Points:
    x, y = (path[:, 0] - 0.5) * hand.aspect, path[:, 1] - 0.5
    x = x - y * hand.slant
    cosine, sine = np.cos(hand.tilt), np.sin(hand.tilt)
    return np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=1) * hand.size


def _placed(paths: list[Points], hand: Hand, rng: np.random.Generator) -> list[Points]:
    """The strokes moved together to where all of them fit on the page, off centre as a rule."""
    points = np.concatenate(paths)
    margin = hand.pen / 2 + 3
    lowest, highest = margin - points.min(axis=0), np.array(PAGE) - margin - points.max(axis=0)
    origin = rng.uniform(np.minimum(lowest, highest), np.maximum(lowest, highest))
    return [path + origin for path in paths]


def _ink(canvas: Image.Image, path: Points, pen: float, rng: np.random.Generator) -> None:
    """A line of close dots, whose width varies with the pressure of the hand."""
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(steps)])
    at = np.linspace(0, along[-1], max(2, int(along[-1] / max(1.0, pen / 8))))
    phase, waves = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 2.5)
    breadth = pen * (1 + 0.15 * np.sin(phase + waves * 2 * np.pi * at / max(along[-1], 1)))
    pencil = ImageDraw.Draw(canvas)
    for x, y, r in zip(np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1]), breadth / 2, strict=True):
        pencil.ellipse((x - r, y - r, x + r, y + r), fill=255)


def _on_paper(ink: Coverage, paper: tuple[int, int, int], colour: tuple[int, int, int]) -> NDArray[np.float32]:
    """Ink of one colour over paper of another, float32 [300, 400, 3]."""
    empty, full = np.array(paper, np.float32), np.array(colour, np.float32)
    return empty + ink[..., None] * (full - empty)


def _shaded(page: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The page under a lamp: darker towards the corners and to one side, with a camera's noise."""
    x, y = np.meshgrid(np.linspace(-1, 1, PAGE[0]), np.linspace(-1, 1, PAGE[1]))
    angle = rng.uniform(0, 2 * np.pi)
    light = (
        1 - rng.uniform(0.05, 0.2) * (x**2 + y**2) / 2 + rng.uniform(0, 0.15) * (x * np.cos(angle) + y * np.sin(angle))
    )
    shaded: NDArray[np.float32] = page * light[..., None].astype(np.float32)
    return shaded + rng.normal(0, rng.uniform(2, 6), page.shape).astype(np.float32)


def _file(pixels: NDArray[np.float32], rng: np.random.Generator, kind: str) -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    image.save(stream, kind, quality=int(rng.integers(60, 91)))
    return stream.getvalue()


def _black_png(ink: Coverage, rng: np.random.Generator) -> bytes:
    return _file(_on_paper(ink, (255, 255, 255), (0, 0, 0)), rng, "PNG")


def _black_jpeg(ink: Coverage, rng: np.random.Generator) -> bytes:
    return _file(_on_paper(ink, (255, 255, 255), (15, 15, 20)), rng, "JPEG")


def _blue_jpeg(ink: Coverage, rng: np.random.Generator) -> bytes:
    return _file(_on_paper(ink, (250, 243, 224), (35, 55, 150)), rng, "JPEG")


def _chalk_jpeg(ink: Coverage, rng: np.random.Generator) -> bytes:
    """Chalk leaves gaps: the board shows through its grain."""
    grain = rng.uniform(0.6, 1, ink.shape).astype(np.float32)
    return _file(_shaded(_on_paper(ink * grain, (38, 58, 48), (235, 235, 228)), rng), rng, "JPEG")


def _pencil_photograph(ink: Coverage, rng: np.random.Generator) -> bytes:
    return _file(_shaded(_on_paper(ink * 0.8, (226, 222, 214), (60, 60, 66)), rng), rng, "JPEG")


def _transparent_png(ink: Coverage, rng: np.random.Generator) -> bytes:
    """As a drawing program exports it: only the strokes, in black, blue or white, on a transparent page."""
    colour = ((0, 0, 0), (20, 40, 160), (255, 255, 255))[rng.integers(3)]
    strokes = np.concatenate(
        [np.broadcast_to(np.array(colour, np.float32), (*ink.shape, 3)), ink[..., None] * 255], axis=2
    )
    return _file(strokes, rng, "PNG")


FORMS: dict[str, Form] = {
    "black on white, PNG": _black_png,
    "black on white, JPEG": _black_jpeg,
    "blue on cream, JPEG": _blue_jpeg,
    "chalk on a board, JPEG": _chalk_jpeg,
    "pencil photographed, JPEG": _pencil_photograph,
    "transparent PNG": _transparent_png,
}

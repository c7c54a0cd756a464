"""A 1 with a flag and a 7 with a bar, as many Europeans write them: lines and arcs on a page of 240 × 300."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

PAGE = (240, 300)

Points = NDArray[np.float64]  # [points, 2], x and y in a box from 0 to 1


def draw_flagged_one(rng: np.random.Generator) -> Image.Image:
    """A flag that rises to the stem by 25° or more, and, for four of ten, a foot."""
    stem = rng.uniform(0.3, 0.7)
    flag = rng.uniform(0.22, 0.5)
    strokes = [_line((stem - rng.uniform(0.9, 1.5) * flag, flag), (stem, 0), (stem + rng.normal(0, 0.04), 1))]
    if rng.random() < 0.4:
        strokes.append(_line((stem - 0.3, 1), (stem + 0.3, 1)))
    return _on_page(strokes, (110, rng.uniform(110, 180)), rng)


def draw_barred_seven(rng: np.random.Generator) -> Image.Image:
    """A 7 that starts straight, with a serif or with a loop, and has a bar at half its height."""
    start = rng.integers(3)
    stem = ((1.0, 0.0), (rng.uniform(0.5, 0.65), 0.5), (rng.uniform(0.25, 0.5), 1.0))
    strokes = [_line((0, 0), *stem), _line((0.02, 0.18), (0, 0), *stem), _line((0.2, 0.05), *stem)][start : start + 1]
    if start == 2:
        turn = np.linspace(0, 2 * np.pi, 24)
        strokes.append(np.stack([0.12 + 0.11 * np.cos(turn), 0.1 + 0.09 * np.sin(turn)], axis=1))
    bar = rng.uniform(0.44, 0.58)
    strokes.append(_line((rng.uniform(0.15, 0.28), bar), (rng.uniform(0.8, 0.95), bar + rng.normal(0, 0.04))))
    return _on_page(strokes, (rng.uniform(70, 110), rng.uniform(110, 180)), rng)


def _line(*corners: tuple[float, float]) -> Points:
    return np.array(corners)


def _on_page(strokes: list[Points], size: tuple[float, float], rng: np.random.Generator) -> Image.Image:
    """Dark strokes on light paper, each corner a little off, the whole slanted and turned a little."""
    page = Image.new("L", PAGE, int(rng.integers(215, 256)))
    pencil, ink, width = ImageDraw.Draw(page), int(rng.integers(0, 90)), int(rng.integers(7, 20))
    slant, turn = rng.normal(0.05, 0.1), rng.normal(0, 0.06)
    for stroke in strokes:
        shaken = stroke + (rng.normal(0, 0.02, stroke.shape) if len(stroke) < 10 else 0)
        x, y = ((shaken - 0.5) * size).T
        x = x - slant * y
        across, down = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
        points = list(zip((across + PAGE[0] / 2).tolist(), (down + PAGE[1] / 2).tolist(), strict=True))
        pencil.line(points, fill=ink, width=width, joint="curve")
        for x_end, y_end in (points[0], points[-1]):
            pencil.ellipse((x_end - width / 2, y_end - width / 2, x_end + width / 2, y_end + width / 2), fill=ink)
    return page.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.5)))

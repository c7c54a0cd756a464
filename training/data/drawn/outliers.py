"""Images of no digit: letters, signs, scribbles, several digits in one box, blobs, noise and textures."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from preprocessing.handwriting import to_mnist
from training.data.drawn.glyphs import DIGITS, LETTERS, SYMBOLS, parse
from training.data.drawn.pen import SIZE, Gray, Path, pick_hand, render, trace, write

_ALL_DIGITS = [parse(glyph) for glyphs in DIGITS.values() for glyph in glyphs]
_LETTERS = [[parse(glyph) for glyph in glyphs] for glyphs in LETTERS.values()]
_SYMBOLS = [parse(glyph) for glyph in SYMBOLS]
_FINE = 0.14  # lines that leave something of what is drawn small
_SIDES = (24, 64)  # pixels of a texture: coarse as a thumbnail, fine as a photograph that was made smaller


def letter(rng: np.random.Generator) -> Gray:
    """A letter that is no digit's twin."""
    glyphs = _LETTERS[rng.integers(len(_LETTERS))]
    return write(glyphs, pick_hand(rng), rng)


def symbol(rng: np.random.Generator) -> Gray:
    """A sign or a small drawing."""
    return write(_SYMBOLS, pick_hand(rng, _FINE), rng)


def several(rng: np.random.Generator) -> Gray:
    """Two to four characters in a row, most of them digits."""
    hand = pick_hand(rng, _FINE)
    paths: list[Path] = []
    right, gap = 0.0, rng.uniform(-0.05, 0.3)
    for _ in range(rng.choice([2, 2, 2, 3, 3, 4])):
        glyph = _ALL_DIGITS[rng.integers(len(_ALL_DIGITS))]
        if rng.random() < 0.15:
            glyphs = _LETTERS[rng.integers(len(_LETTERS))]
            glyph = glyphs[rng.integers(len(glyphs))]
        strokes = trace(glyph, hand, rng)
        points = np.concatenate(strokes)
        move = np.array([right - points[:, 0].min() + hand.pen, rng.normal(0, 0.05)])
        paths += [stroke + move for stroke in strokes]
        right += float(np.ptp(points[:, 0])) + hand.pen + gap
    return render(paths, hand, rng)


def scribble(rng: np.random.Generator) -> Gray:
    """A line that wanders, loops or goes to and fro."""
    hand = pick_hand(rng, _FINE)
    kind, turns = rng.integers(4), int(rng.integers(5, 28))
    time = np.linspace(0, 1, turns * 6)[:, None]
    if kind == 0:
        path = np.cumsum(np.repeat(rng.normal(0, 1, (turns + 6, 2)), 6, axis=0), axis=0)
        path = np.stack([np.convolve(axis, np.ones(9) / 9, "valid") for axis in path.T], axis=1)
    elif kind == 1:
        path = np.concatenate([time * rng.uniform(0.3, 1.5), np.tile([0.0, 1.0], turns * 3)[:, None]], axis=1)[::3]
        path = path + rng.normal(0, 0.12, path.shape)
    elif kind == 2:
        angle = 2 * np.pi * turns / 3 * time
        path = np.concatenate([np.cos(angle) + time * rng.uniform(2, 8), np.sin(angle)], axis=1)
        path = path * (1 + rng.uniform(-0.8, 0.8) * time) + rng.normal(0, 0.05, path.shape)
    else:
        waves = rng.integers(1, 9, (2, 3)) * 2 * np.pi
        path = np.stack([np.sin(time * wave + rng.uniform(0, 6, 3)) @ rng.normal(0, 1, 3) for wave in waves], axis=1)
    low, high = path.min(axis=0), path.max(axis=0)
    box = np.array([rng.uniform(0.5, 1.6), 1.0]) if rng.random() < 0.8 else np.array([1.0, rng.uniform(0.2, 0.6)])
    return render([(path - low) / np.maximum(high - low, 1e-3) * box], hand, rng)


def blob(rng: np.random.Generator) -> Gray:
    """Filled shapes, one or several, which may be cut out of each other."""
    image = Image.new("L", (80, 80))
    pencil = ImageDraw.Draw(image)
    for fill in (255, *rng.choice([0, 255, 255], rng.integers(0, 4)).tolist()):
        (left, top), (width, height) = rng.uniform(8, 40, 2), rng.uniform(24, 40, 2)
        if rng.random() < 0.4:
            pencil.ellipse((left, top, left + width, top + height), fill=fill)
        else:
            corners = rng.integers(3, 8)
            turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
            x, y = left + width / 2 * (1 + np.cos(turn)), top + height / 2 * (1 + np.sin(turn))
            pencil.polygon(list(zip(x.tolist(), y.tolist(), strict=True)), fill=fill)
    left, top, right, bottom = image.getbbox() or (0, 0, 1, 1)
    if right - left < 0.6 * (bottom - top):  # a tall one would be a broad 1
        image = image.rotate(90)
    return _prepare(np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 2)))))


def noise(rng: np.random.Generator) -> Gray:
    """Pixels without any order, fine or coarse, over the whole image or the box, few or many."""
    side, grain = rng.integers(20, 29), rng.choice([1, 1, 2, 3, 4])
    shape = (-(-side // grain),) * 2
    values = rng.choice(4)
    if values == 0:
        cells = rng.uniform(0, 255, shape)
    elif values == 1:
        cells = np.clip(rng.normal(rng.uniform(0, 128), rng.uniform(20, 128), shape), 0.0, 255.0)
    else:
        cells = np.where(rng.random(shape) < rng.uniform(0.04, 0.7), 255.0, 0.0)
    field = cells.astype(np.uint8).repeat(grain, axis=0).repeat(grain, axis=1)[:side, :side]
    if rng.random() < 0.5:
        return _prepare(np.pad(field.repeat(2, axis=0).repeat(2, axis=1), int(rng.choice([0, 0, 6]))))
    canvas = np.zeros(SIZE, np.uint8)
    top, left = rng.integers(0, SIZE[0] - side + 1, 2)
    canvas[top : top + side, left : left + side] = field
    return canvas


def texture(rng: np.random.Generator) -> Gray:
    """Light, edges and grain as in photographs: noise of all scales, shapes over it, a gradient under it."""
    side = int(rng.integers(*_SIDES))
    frequencies = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]) + 1 / side
    spectrum = np.fft.rfft2(rng.normal(0, 1, (side, side))) / frequencies ** rng.uniform(0.6, 2)
    field = np.fft.irfft2(spectrum, (side, side))
    field = (field - field.mean()) / (field.std() + 1e-9) * rng.uniform(10, 60) + rng.uniform(60, 200)
    image = Image.fromarray(np.clip(field, 0, 255).astype(np.uint8))
    pencil = ImageDraw.Draw(image)
    for _ in range(rng.integers(0, 7)):
        (x, y), (w, h) = rng.uniform(-0.2, 1, 2) * side, rng.uniform(0.05, 0.7, 2) * side
        fill = int(rng.integers(0, 256))
        kind = rng.integers(3)
        if kind == 0:
            pencil.ellipse((x, y, x + w, y + h), fill=fill)
        elif kind == 1:
            pencil.polygon([tuple(p) for p in (rng.uniform(-0.2, 1.2, (4, 2)) * side).tolist()], fill=fill)
        else:
            pencil.line((x, y, x + w, y + h * rng.choice([-1, 1])), fill=fill, width=int(rng.integers(1, 8)))
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.2))), np.float64)
    pixels = np.clip(blurred + rng.normal(0, rng.uniform(0, 8), blurred.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.1:
        return np.asarray(Image.fromarray(pixels).resize(SIZE, Image.Resampling.BOX))
    return _prepare(pixels)


# How often each is drawn: letters are nearest to digits and the hardest to tell from them.
KINDS: dict[Callable[[np.random.Generator], Gray], float] = {
    letter: 0.34,
    symbol: 0.10,
    several: 0.18,
    scribble: 0.14,
    blob: 0.04,
    noise: 0.06,
    texture: 0.14,
}


def draw_outlier(rng: np.random.Generator) -> Gray:
    """One that is not empty."""
    kinds = list(KINDS)
    while True:
        image = kinds[rng.choice(len(kinds), p=list(KINDS.values()))](rng)
        if image.any():
            return image


def _prepare(pixels: Gray) -> Gray:
    """A picture as the service prepares it."""
    return to_mnist(pixels, SIZE)[0]

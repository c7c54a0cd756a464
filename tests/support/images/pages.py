"""Pages with a digit as they are scanned and photographed: with an edge, a table, a frame, a shadow, lines or holes.

A digit is a gray image, white strokes on black, as MNIST has them. All randomness comes from the generator passed in.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from PIL.Image import Resampling
from PIL.ImageFilter import GaussianBlur

Gray = NDArray[np.uint8]  # [height, width]
Random = np.random.Generator
Page = Callable[[Gray, Random], Gray]

SIDE = 300


def draw_page(digit: Gray, random: Random, height: float = 0.0, side: int = SIDE, paper: int = 0) -> Image.Image:
    """A square sheet with the digit near its middle, dark on light."""
    paper = paper or int(random.integers(200, 256))
    ink = int(random.integers(0, 80))
    tall = round(side * (height or random.uniform(0.4, 0.62)))
    strokes = Image.fromarray(digit).resize((tall, tall), Resampling.BICUBIC)
    sheet = Image.new("L", (side, side), paper)
    left, top = ((side - tall) // 2 + int(random.integers(-side // 12, side // 12 + 1)) for _ in range(2))
    sheet.paste(ink, (left, top), strokes)
    return sheet


def photograph(sheet: Image.Image, random: Random, noise: float = 3.0) -> Gray:
    """What a camera or scanner makes of it: a little blurred, a little noisy."""
    blurred = np.asarray(sheet.filter(GaussianBlur(random.uniform(0.3, 1.2))), np.float64)
    noisy = blurred + random.normal(0, random.uniform(0.5, noise), blurred.shape)
    pixels: Gray = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return pixels


def plain(digit: Gray, random: Random) -> Gray:
    return photograph(draw_page(digit, random), random)


def gray_strip(digit: Gray, random: Random) -> Gray:
    """A strip of gray along a side."""
    sheet = draw_page(digit, random)
    width = int(random.integers(6, 40))
    return _turned(_filled(sheet, (0, 0, SIDE, width), int(random.integers(60, 180))), random)


def dark_rows(digit: Gray, random: Random) -> Gray:
    """Two opposite sides with some dark rows each."""
    sheet = draw_page(digit, random)
    for top, bottom in ((0, int(random.integers(1, 12))), (SIDE - int(random.integers(1, 12)), SIDE)):
        _filled(sheet, (0, top, SIDE, bottom), int(random.integers(0, 70)))
    return _turned(sheet, random)


def line_at_the_edge(digit: Gray, random: Random) -> Gray:
    return _turned(_filled(draw_page(digit, random), (0, 0, SIDE, int(random.integers(1, 4))), 0), random)


def two_sides(digit: Gray, random: Random) -> Gray:
    """Two neighboring sides with dark strips."""
    sheet = draw_page(digit, random)
    level = int(random.integers(0, 90))
    _filled(sheet, (0, 0, SIDE, int(random.integers(2, 35))), level)
    _filled(sheet, (0, 0, int(random.integers(2, 35)), SIDE), level)
    return _turned(sheet, random)


def frame(digit: Gray, random: Random) -> Gray:
    """The sheet within a dark frame."""
    level, width = int(random.integers(0, 100)), int(random.integers(1, 40))
    sheet = draw_page(digit, random)
    ImageDraw.Draw(sheet).rectangle((0, 0, SIDE - 1, SIDE - 1), outline=level, width=width)
    return photograph(sheet, random)


def scanner_black(digit: Gray, random: Random) -> Gray:
    """The lid of the scanner is open: black beyond the slanting edges of the sheet."""
    sheet = draw_page(digit, random)
    near, far, low, high = (int(random.integers(0, 40)) for _ in range(4))
    canvas = ImageDraw.Draw(sheet)
    level = int(random.integers(0, 30))
    canvas.polygon([(SIDE, 0), (SIDE - near, 0), (SIDE - far, SIDE), (SIDE, SIDE)], fill=level)
    canvas.polygon([(0, SIDE), (0, SIDE - low), (SIDE, SIDE - high), (SIDE, SIDE)], fill=level)
    return _turned(sheet, random)


def on_a_table(digit: Gray, random: Random) -> Gray:
    """A sheet that lies, somewhat turned, on a darker table with a grain."""
    return photograph(_on_table(draw_page(digit, random), random, int(random.integers(20, 110))), random)


def table_on_one_side(digit: Gray, random: Random) -> Gray:
    """A table shows beside the sheet, whose edge is not quite parallel to the picture's."""
    sheet = draw_page(digit, random)
    start, slope = random.uniform(0.06, 0.2) * SIDE, random.uniform(-0.1, 0.1)
    edge = [(0, 0), (0, max(2, start - slope * SIDE / 2)), (SIDE, max(2, start + slope * SIDE / 2)), (SIDE, 0)]
    ImageDraw.Draw(sheet).polygon(edge, fill=int(random.integers(20, 120)))
    return _turned(sheet, random)


def rotated(corner: int | None, digit: Gray, random: Random) -> Gray:
    """Turned by 3 to 12 degrees; the corners that appear have one level, a random one where None is given."""
    angle = random.uniform(3, 12) * random.choice((-1, 1))
    level = int(random.integers(0, 256)) if corner is None else corner
    sheet = draw_page(digit, random, random.uniform(0.4, 0.55))
    return photograph(sheet.rotate(angle, Resampling.BICUBIC, fillcolor=level), random)


def box(digit: Gray, random: Random) -> Gray:
    """A thin box around the digit."""
    sheet = draw_page(digit, random, random.uniform(0.4, 0.55))
    low, high = int(random.integers(8, 40)), SIDE - int(random.integers(8, 40))
    ImageDraw.Draw(sheet).rectangle(
        (low, low, high, high), outline=int(random.integers(0, 120)), width=int(random.integers(1, 5))
    )
    return photograph(sheet, random)


def form_cell(digit: Gray, random: Random) -> Gray:
    """A cell of a form, whose lines go on over the picture's border."""
    sheet = draw_page(digit, random, random.uniform(0.4, 0.55))
    canvas, width, level = ImageDraw.Draw(sheet), int(random.integers(1, 5)), int(random.integers(0, 130))
    for place in (int(random.integers(6, 40)), SIDE - int(random.integers(6, 40))):
        canvas.line((place, 0, place, SIDE), level, width)
        canvas.line((0, place, SIDE, place), level, width)
    return photograph(sheet, random)


def finger(digit: Gray, random: Random) -> Gray:
    """A finger reaches in from a side."""
    sheet = draw_page(digit, random, random.uniform(0.4, 0.5))
    at, width, depth = random.uniform(0, SIDE), random.uniform(15, 35), random.uniform(20, 50)
    ellipse = (at - width, -depth, at + width, depth)
    ImageDraw.Draw(sheet).ellipse(ellipse, fill=int(random.integers(60, 170)))
    return _turned(sheet, random)


def hard_shadow(digit: Gray, random: Random) -> Gray:
    """A shadow with a hard edge over half the sheet."""
    page = plain(digit, random).astype(np.float64)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle = random.uniform(0, 2 * np.pi)
    dark = x * np.cos(angle) + y * np.sin(angle) > random.uniform(-0.3, 0.3)
    shaded: Gray = np.where(dark, page * 0.62, page).astype(np.uint8)
    return shaded


def soft_shadow(digit: Gray, random: Random) -> Gray:
    page = plain(digit, random).astype(np.float64)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle, width = random.uniform(0, 2 * np.pi), random.uniform(0.05, 0.6)
    place = (x * np.cos(angle) + y * np.sin(angle) - random.uniform(-0.4, 0.4)) / width
    shaded: Gray = (page * (1 - random.uniform(0.2, 0.5) * np.clip(place + 0.5, 0, 1))).astype(np.uint8)
    return shaded


def lined(digit: Gray, random: Random) -> Gray:
    """Lined or squared paper."""
    sheet = draw_page(digit, random, paper=245)
    ink, step, width = int(random.integers(170, 215)), int(random.integers(25, 60)), int(random.integers(1, 3))
    canvas, squared = ImageDraw.Draw(sheet), random.random() < 0.5
    lines = Image.new("L", sheet.size, 255)
    canvas = ImageDraw.Draw(lines)
    for place in range(int(random.integers(0, step)), SIDE, step):
        canvas.line((0, place, SIDE, place), ink, width)
        if squared:
            canvas.line((place, 0, place, SIDE), ink, width)
    return photograph(Image.fromarray(np.minimum(np.asarray(sheet), np.asarray(lines))), random)


def punched(digit: Gray, random: Random) -> Gray:
    """Holes of a punch, or a staple, or a page's number, away from the digit."""
    sheet = draw_page(digit, random, random.uniform(0.45, 0.6))
    canvas, kind, level = ImageDraw.Draw(sheet), random.integers(3), int(random.integers(20, 120))
    if kind == 0:
        for y in (60, 240):
            canvas.ellipse((8, y - 9, 26, y + 9), fill=level)
    elif kind == 1:
        canvas.line((15, 18, 40, 26), fill=level, width=3)
    else:
        canvas.text((SIDE - 40, SIDE - 20), str(random.integers(10, 99)), fill=level)
    return photograph(sheet, random)


def tight(digit: Gray, random: Random) -> Gray:
    """Cut out without a margin, enlarged and blurred."""
    small = crop(digit)
    scale = random.uniform(2, 6)
    size = (round(small.shape[1] * scale), round(small.shape[0] * scale))
    strokes = Image.fromarray(small).resize(size, Resampling.BICUBIC)
    return photograph(_inked(strokes, random).filter(GaussianBlur(random.uniform(0.5, 2.5))), random)


def thick(digit: Gray, random: Random) -> Gray:
    """Strokes half as broad again, with hardly a margin."""
    small = np.pad(crop(digit), 2)
    wide = Image.fromarray(small).resize((small.shape[1] * 4, small.shape[0] * 4), Resampling.BICUBIC)
    strokes = np.asarray(wide)
    grown = np.maximum.reduce([np.roll(strokes, (d, r), (0, 1)) for d in (-2, 0, 2) for r in (-2, 0, 2)])
    margin = int(random.integers(0, 8))
    low, high = 8 - margin, 8 - margin
    grown = grown[low : grown.shape[0] - high, low : grown.shape[1] - high]
    return photograph(_inked(Image.fromarray(grown), random).filter(GaussianBlur(random.uniform(0.5, 2))), random)


def draw_row(digits: Sequence[Gray], random: Random, side: int = SIDE) -> Gray:
    """Several digits beside each other, in a row or two, that do not touch."""
    paper, ink = int(random.integers(200, 256)), int(random.integers(0, 80))
    tall = int(min(side * 0.4, side * 1.1 / len(digits)))
    pieces = []
    for digit in digits:
        small = crop(digit)
        scale = tall / 20 * random.uniform(0.85, 1.1)
        size = (max(2, round(small.shape[1] * scale)), max(2, round(small.shape[0] * scale)))
        pieces.append(Image.fromarray(small).resize(size, Resampling.BICUBIC))
    gaps = [round(tall * random.uniform(0.12, 0.6)) for _ in pieces]
    width = sum(piece.width for piece in pieces) + sum(gaps)
    sheet = Image.new("L", (max(side, width + 20), side), paper)
    left, top = int(random.integers(5, sheet.width - width + 1)), int(random.integers(10, side - 2 * tall + 5))
    for piece, gap in zip(pieces, gaps, strict=True):
        sheet.paste(ink, (left, top + int(random.integers(0, tall // 4)) + (tall - piece.height)), piece)
        left += piece.width + gap
    return photograph(sheet, random)


def crop(digit: Gray) -> Gray:
    rows, columns = np.flatnonzero(digit.max(axis=1) > 40), np.flatnonzero(digit.max(axis=0) > 40)
    return digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _inked(strokes: Image.Image, random: Random) -> Image.Image:
    sheet = Image.new("L", strokes.size, int(random.integers(200, 256)))
    sheet.paste(int(random.integers(0, 80)), (0, 0), strokes)
    return sheet


def _filled(sheet: Image.Image, place: tuple[int, int, int, int], level: int) -> Image.Image:
    sheet.paste(level, place)
    return sheet


def _turned(sheet: Image.Image, random: Random) -> Gray:
    """Photographed after the digit's own direction is kept: what lies along the top may lie along any side."""
    return photograph(sheet, random)


def _on_table(sheet: Image.Image, random: Random, level: int) -> Image.Image:
    side = int(SIDE * random.uniform(1.1, 1.5))
    grain = np.asarray(
        Image.fromarray(random.integers(0, 256, (side // 6, side // 30)).astype(np.uint8)).resize((side, side))
    )
    table = Image.fromarray(np.clip(level + (grain.astype(float) - 128) * 0.1, 0, 255).astype(np.uint8))
    angle = random.uniform(-10, 10)
    mask = Image.new("L", sheet.size, 255).rotate(angle, Resampling.BICUBIC, expand=True)
    turned = sheet.rotate(angle, Resampling.BICUBIC, expand=True)
    room = side - turned.width
    left, top = (int(random.integers(min(0, room), max(0, room) + 1)) for _ in range(2))
    table.paste(turned, (left, top), mask)
    return table.resize((SIDE, SIDE), Resampling.BOX)

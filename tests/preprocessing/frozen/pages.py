"""Handwriting: drawn digits, dark and light, thin and broad, anywhere on the page, and pages without any."""

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tests.preprocessing.frozen import encoders
from tests.preprocessing.frozen.contracts import GRAY, INK_RULES, RGB, FileCase, Files, saved
from tests.preprocessing.frozen.encoders import oriented, png
from tests.preprocessing.frozen.patterns import DASH, FOUR, SEVEN, gray, noise, on_paper, written


def list_handwriting() -> list[FileCase]:
    """The rule of handwriting: drawn digits, dark and light, thin and broad, anywhere, and pages without any."""
    gray_pages = {
        **_pens(),
        "dark on light": on_paper(written(SEVEN, 8)),
        "light on dark": written(SEVEN, 8),
        "gray on gray": on_paper(written(FOUR, 7), 120, 90),
        "faint": on_paper(written(FOUR, 7), 120, 106),
        "too faint": on_paper(written(FOUR, 7), 120, 112),
        "dash": on_paper(written(DASH, 5)),
        "at the corner": on_paper(np.roll(written(SEVEN, 6), (-20, -15), (0, 1))),
        "over the edge": on_paper(np.roll(written(SEVEN, 6), 45, 1)),
        "with dust": on_paper(np.maximum(written(SEVEN, 6), _dust())),
        "under a lamp": _under_a_lamp(on_paper(written(FOUR, 7), 230, 30)),
        "under a lamp, noisy": _under_a_lamp(on_paper(written(FOUR, 9), 230, 30)) - noise(120, 90) // 16,
        "large": on_paper(written(SEVEN, 30, (480, 360), 4)),
        "wide": on_paper(written(FOUR, 6, (120, 400))),
        "just above the noise": on_paper(written(FOUR, 7), 150, 70) + noise(120, 90) // 6,
        "just below the noise": on_paper(written(FOUR, 7), 150, 90) + noise(120, 90) // 6,
        "just below a little noise": on_paper(written(FOUR, 7), 150, 120) + noise(120, 90) // 12,
        "blank white": np.full((120, 90), 255, np.uint8),
        "blank black": np.zeros((120, 90), np.uint8),
        "blank with noise": 200 + noise(120, 90) // 32,
        "blank gradient": _under_a_lamp(np.full((120, 90), 240, np.uint8)),
        "stripes": gray(60, 50),
        "a pixel": np.full((1, 1), 9, np.uint8),
        "a row": on_paper(written((((100, 0), (140, 0)),), 3, (1, 300))),
        "a column": on_paper(written((((0, 100), (0, 140)),), 3, (300, 1))),
    }
    pages: Files = {name: partial(saved, page, "PNG") for name, page in gray_pages.items()}
    files: Files = {**pages, **_inked_files()}
    return [
        *(FileCase(f"handwriting {name}", make, GRAY, INK_RULES) for name, make in files.items()),
        *(
            FileCase(f"handwriting {name} on white", files[name], GRAY, replace(INK_RULES, alpha="white"))
            for name in ("black and transparent", "white and transparent")
        ),
        FileCase("handwriting for RGB", files["dark on light"], RGB, replace(INK_RULES, mode="rgb")),
        FileCase("handwriting for a wide input", files["dark on light"], replace(GRAY, height=20, width=45), INK_RULES),
        FileCase("handwriting for a large input", files["thin"], replace(GRAY, height=96, width=64), INK_RULES),
    ]


def _pens() -> dict[str, NDArray[np.uint8]]:
    widths = {"thin": 1, "narrow": 3, "broad": 13, "very broad": 22}
    return {name: on_paper(written(FOUR, pen)) for name, pen in widths.items()}


def _inked_files() -> Files:
    ink = written(SEVEN, 7)
    black, white = np.zeros((*ink.shape, 3), np.uint8), np.full((*ink.shape, 3), 255, np.uint8)
    page = on_paper(ink)
    blue = np.dstack([page, np.maximum(page, 60), np.maximum(page, 180)])
    return {
        "black and transparent": partial(saved, np.dstack([black, ink]), "PNG"),
        "white and transparent": partial(saved, np.dstack([white, ink]), "PNG"),
        "blue": partial(saved, blue, "PNG"),
        "as JPEG": partial(saved, page, "JPEG", quality=60),
        "as a turned JPEG": partial(oriented, blue, 6, "JPEG", quality=90),
        "as a GIF": partial(saved, page, "GIF"),
        "of 1 bit": partial(saved, page, "TIFF", "1"),
        "of 16 bits": partial(png, page.astype(np.uint16) * 200, encoders.GRAY, 16),
    }


def _under_a_lamp(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Darker to the right and at the bottom."""
    y, x = np.mgrid[0 : page.shape[0], 0 : page.shape[1]]
    light = 1000 - 2 * x - y - x * y // 60
    lit: NDArray[np.uint8] = (page.astype(np.int64) * light // 1000).astype(np.uint8)
    return lit


def _dust() -> NDArray[np.uint8]:
    specks = np.zeros((120, 90), np.uint8)
    specks[[8, 9, 108, 109], [80, 80, 6, 7]] = 255
    return specks

"""Folders of drawn images: one color for each class, so that a network learns them in a few steps."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tests.support.images.unusual_files import file_of

COLOURS = ((220, 40, 40), (40, 200, 60), (50, 60, 220))


def draw_folder(root: Path, counts: Mapping[str, int], suffix: str = "jpg") -> Path:
    """`root/<class>/<number>.<suffix>`, `counts` images for each class, all different, each of another size."""
    for place, (name, count) in enumerate(counts.items()):
        for number in range(count):
            random = np.random.default_rng((place, number))
            noise = random.integers(-35, 36, (20 + number, 24, 3))
            path = root / name / f"{number:03}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file_of((COLOURS[place % 3] + noise).astype(np.uint8), "JPEG", quality=90))
    return root

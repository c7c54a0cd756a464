"""Golden images: a few images of a bundle and the probabilities that the training framework computed for them.

`golden/golden.json` holds `{"tolerance": t, "images": [{"file": "00.png", "probabilities": [...]}]}`. After a model is
loaded it classifies them, and every probability must be within `tolerance` of the one on record.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelrepo.errors import CorruptBundle, InvalidMetadata
from modelrepo.repository import GOLDEN
from modelrepo.strict_json import any_array, array, json_object, member, number, record, text

INDEX = "golden.json"


@dataclass(frozen=True)
class GoldenImage:
    """An encoded image and its probabilities, one for each class."""

    file: str
    content: bytes
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class GoldenSet:
    """All golden images of a bundle and the largest difference that still counts as equal."""

    tolerance: float
    images: tuple[GoldenImage, ...]


def write_golden(bundle: Path, golden: GoldenSet) -> None:
    """Write the images and their index below `bundle`; raises OSError."""
    folder = bundle / GOLDEN
    folder.mkdir()
    for image in golden.images:
        (folder / image.file).write_bytes(image.content)
    rows = [{"file": image.file, "probabilities": list(image.probabilities)} for image in golden.images]
    (folder / INDEX).write_text(json.dumps({"tolerance": golden.tolerance, "images": rows}, indent=1) + "\n")


@json_object
class _Index:
    images: list[Any] = member(any_array)
    tolerance: float = member(number)


@json_object
class _Row:
    file: str = member(text)
    probabilities: tuple[float, ...] = member(array(number))


_read_index = record(_Index)
_read_rows = array(record(_Row))


def read_golden(bundle: Path) -> GoldenSet:
    """Read the golden images of a bundle; raises CorruptBundle where they are missing or malformed."""
    folder = bundle / GOLDEN
    try:
        index = _read_index(json.loads((folder / INDEX).read_text()), GOLDEN)
        rows = _read_rows(index.images, GOLDEN)
        images = [GoldenImage(row.file, _read_image(folder, row.file), row.probabilities) for row in rows]
        return GoldenSet(index.tolerance, tuple(images))
    except (OSError, ValueError, RecursionError, InvalidMetadata) as error:
        raise CorruptBundle(f"golden images cannot be read: {error}") from error


def _read_image(folder: Path, file: str) -> bytes:
    """The content of a file in the folder itself, whatever folders its name in the index has."""
    return (folder / Path(file).name).read_bytes()

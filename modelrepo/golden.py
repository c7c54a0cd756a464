"""Golden images: a few images of a bundle and the probabilities that the training framework computed for them.

`golden/golden.json` holds `{"tolerance": t, "images": [{"file": "00.png", "probabilities": [...]}]}`. After a model is
loaded it classifies them, and every probability must be within `tolerance` of the one on record.
"""

import json
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelrepo.errors import CorruptBundle, InvalidMetadata
from modelrepo.files import read_file
from modelrepo.repository import GOLDEN, METADATA
from modelrepo.strict_json import any_array, array, json_object, member, number, parse_json, record, text

INDEX = "golden.json"
MAX_INDEX = 4 << 20  # bytes
MAX_IMAGES = 64 << 20  # bytes of all images together

_FAILURE = "golden images cannot be read"


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


def read_golden(bundle: Path, files: Container[str] | None = None) -> GoldenSet:
    """Read the golden images of a bundle; `files` are those that its metadata names, None for all.

    Raises CorruptBundle where they are missing, malformed, not among `files` or more than is read.
    """
    try:
        document = parse_json(_read(bundle, INDEX, MAX_INDEX, files).decode())
        index = _read_index(document, "")
        rows = _read_rows(index.images, "images")
        return GoldenSet(index.tolerance, _read_images(bundle, rows, files))
    except InvalidMetadata as error:
        raise CorruptBundle(f"{_FAILURE}: {GOLDEN}/{INDEX}: {error.field}: {error.problem}") from error
    except (OSError, ValueError, RecursionError, CorruptBundle) as error:
        raise CorruptBundle(f"{_FAILURE}: {error}") from error


def _read_images(bundle: Path, rows: Sequence[_Row], files: Container[str] | None) -> tuple[GoldenImage, ...]:
    images = []
    left = MAX_IMAGES
    for row in rows:
        content = _read(bundle, Path(row.file).name, left, files)  # in the folder itself, whatever folders it names
        left -= len(content)
        images.append(GoldenImage(row.file, content, row.probabilities))
    return tuple(images)


def _read(bundle: Path, file: str, limit: int, files: Container[str] | None) -> bytes:
    name = f"{GOLDEN}/{file}"
    if files is not None and name not in files:
        raise CorruptBundle(f"{name} is not among the files that {METADATA} names")
    try:
        return read_file(bundle, name, limit)
    except FileNotFoundError as error:
        raise CorruptBundle(f"{name} is missing") from error

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
from modelrepo.files import read_files
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
        document = parse_json(_read(bundle, [INDEX], MAX_INDEX, files)[0].decode())
        index = _read_index(document, "")
        rows = _read_rows(index.images, "images")
        return GoldenSet(index.tolerance, _read_images(bundle, rows, files))
    except InvalidMetadata as error:
        raise CorruptBundle(f"{_FAILURE}: {GOLDEN}/{INDEX}: {error.field}: {error.problem}") from error
    except (OSError, ValueError, RecursionError, CorruptBundle) as error:
        raise CorruptBundle(f"{_FAILURE}: {error}") from error


def _read_images(bundle: Path, rows: Sequence[_Row], files: Container[str] | None) -> tuple[GoldenImage, ...]:
    names = [Path(row.file).name for row in rows]  # in the folder itself, whatever folders it names
    contents = _read(bundle, names, MAX_IMAGES, files)
    return tuple(GoldenImage(row.file, each, row.probabilities) for row, each in zip(rows, contents, strict=True))


def _read(bundle: Path, names: Sequence[str], limit: int, files: Container[str] | None) -> list[bytes]:
    paths = [f"{GOLDEN}/{name}" for name in names]
    for path in paths:
        if files is not None and path not in files:
            raise CorruptBundle(f"{path} is not among the files that {METADATA} names")
    return read_files(bundle, paths, limit)

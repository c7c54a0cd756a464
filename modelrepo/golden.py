"""Golden images: small pictures and the probabilities that the training framework gave for them.

`golden/golden.json` holds `{"tolerance": t, "images": [{"file": "00.png", "probabilities": [...]}]}`. Whoever loads
the model replays them and must come within `tolerance` of every probability.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from modelrepo.errors import CorruptBundle, InvalidMetadata
from modelrepo.fields import Fields
from modelrepo.repository import GOLDEN

INDEX = "golden.json"


@dataclass(frozen=True)
class GoldenImage:
    """The encoded picture and one probability a class."""

    file: str
    content: bytes
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class GoldenSet:
    """All golden images of a bundle and the largest difference that still counts as equal."""

    tolerance: float
    images: tuple[GoldenImage, ...]


def write_golden(bundle: Path, golden: GoldenSet) -> None:
    """Write the pictures and their index below `bundle`."""
    folder = bundle / GOLDEN
    folder.mkdir()
    for image in golden.images:
        (folder / image.file).write_bytes(image.content)
    rows = [{"file": image.file, "probabilities": list(image.probabilities)} for image in golden.images]
    (folder / INDEX).write_text(json.dumps({"tolerance": golden.tolerance, "images": rows}, indent=1) + "\n")


def read_golden(bundle: Path) -> GoldenSet:
    """Read the golden images of a bundle; raises CorruptBundle where they are missing or malformed."""
    folder = bundle / GOLDEN
    try:
        fields = Fields(json.loads((folder / INDEX).read_text()), GOLDEN)
        rows = fields.rows("images", {"file": Fields.text, "probabilities": Fields.numbers})
        images = [GoldenImage(row["file"], _read_file(folder, row["file"]), row["probabilities"]) for row in rows]
        return GoldenSet(fields.number("tolerance"), tuple(images))
    except (OSError, ValueError, RecursionError, InvalidMetadata) as error:
        raise CorruptBundle(f"golden images cannot be read: {error}") from error


def _read_file(folder: Path, name: str) -> bytes:
    return (folder / Path(name).name).read_bytes()

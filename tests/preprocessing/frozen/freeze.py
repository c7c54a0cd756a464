"""The table of frozen pixels; `python -m tests.preprocessing.frozen.freeze` writes it anew from what the code does."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from preprocessing.pipeline import PreparedImage, normalize, prepare_file
from tests.preprocessing.frozen.cases import list_array_cases, list_file_cases
from tests.preprocessing.frozen.contracts import ArrayCase, FileCase

TABLE = Path(__file__).with_name("pixels.json")

Entry = dict[str, Any]
Table = dict[str, dict[str, Entry]]


def freeze_file(case: FileCase) -> Entry:
    """The table's entry for an image file."""
    return describe(prepare_file(case.make(), case.spec, case.contract))


def describe(image: PreparedImage) -> Entry:
    """The table's entry for a prepared image."""
    return {"pixels": digest(image.pixels), "steps": list(image.steps)}


def freeze_array(case: ArrayCase) -> Entry:
    """The table's entry for an array of pixels."""
    return {"values": digest(normalize(case.pixels, case.spec, case.contract))}


def digest(values: NDArray[Any]) -> str:
    """SHA-256 over type, shape and values."""
    head = f"{values.dtype.str} {values.shape} ".encode()
    return sha256(head + values.tobytes()).hexdigest()


def read_table() -> Table:
    """The table as it is stored."""
    table: Table = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


def main() -> None:
    """Write the table."""
    table = {
        "files": {case.name: freeze_file(case) for case in list_file_cases()},
        "arrays": {case.name: freeze_array(case) for case in list_array_cases()},
    }
    TABLE.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""The names of the classes, from a file in any of the forms that they usually come in."""

import json
from pathlib import Path
from typing import Any

from training.errors import InvalidModel

Names = tuple[str, ...]


def read_labels(path: Path | None, classes: int) -> Names:
    """One name a class; without a file, the classes' numbers. Raises InvalidModel where their count differs."""
    if path is None:
        return tuple(map(str, range(classes)))
    names = _parse(_text(path), path)
    if len(names) != classes:
        raise InvalidModel(
            f"{path} has {len(names):,} labels, and the graph has {classes:,} classes: "
            "give the labels that it was trained with"
        )
    for place, name in enumerate(names):
        if not name:
            raise InvalidModel(f"{path} has no name for class {place}: write one, or remove the empty line")
    return names


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidModel(f"{path} is not text in UTF-8 ({error}): save it as that") from error


def _parse(text: str, path: Path) -> Names:
    if not text.lstrip().startswith(("[", "{")):
        return tuple(line.strip() for line in text.rstrip().splitlines())
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidModel(f"{path} starts as JSON does but is none ({error}): repair it") from error
    return _in_order(document, path) if isinstance(document, dict) else tuple(_name(item, path) for item in document)


def _in_order(document: dict[str, Any], path: Path) -> Names:
    """{"0": "first", "1": "second"}, in any order."""
    numbers = [str(place) for place in range(len(document))]
    if set(numbers) != set(document):
        raise InvalidModel(f"{path} must name its classes from 0 to {len(document) - 1}, each once")
    return tuple(_name(document[number], path) for number in numbers)


def _name(value: object, path: Path) -> str:
    """A name, or the last of several: Keras's list of ImageNet's classes has ["n01440764", "tench"]."""
    last = value[-1] if isinstance(value, list) and value else value
    if not isinstance(last, str):
        raise InvalidModel(f"{path} must hold texts, not {last!r:.40}")
    return last.strip()

"""The names of classes from a file, by their folders (ImageNet's `n01440764` is a tench) or in their order."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from training.errors import InvalidData, InvalidModel

Names = tuple[str, ...]


def read_class_names(path: Path, folders: Names) -> Names:
    """One name a folder: from lines such as `n01440764 tench`, in any order, or one name a line in the folders' order.

    The latter only where no line begins with a folder; otherwise lines about other folders are passed over. Raises
    InvalidData where a folder has no name.
    """
    lines = [line.strip() for line in _text(path).splitlines() if line.strip()]
    known = _by_folder(lines, frozenset(folders))
    missing = [folder for folder in folders if folder not in known]
    if not missing:
        return _distinct(tuple(known[folder] for folder in folders), folders)
    if known:
        raise InvalidData(f"{path} has no line for the folder {missing[0]!r}: write `{missing[0]} NAME` there")
    if len(lines) != len(folders):
        raise InvalidData(
            f"{path} has {len(lines):,} lines for {len(folders):,} folders: write `FOLDER NAME` on each, "
            "or one name a line in the folders' order"
        )
    return _distinct(tuple(lines), folders)


def _by_folder(lines: list[str], folders: frozenset[str]) -> dict[str, str]:
    """The names by folder, from lines that begin with one and a space; the longest, for folders may have spaces too."""
    known = {}
    for line in lines:
        ends = [space.start() for space in re.finditer(r"\s", line) if line[: space.start()] in folders]
        if ends:
            known[line[: ends[-1]]] = line[ends[-1] :].strip()
    return known


def _distinct(names: Names, folders: Names) -> Names:
    """The names, those that several classes share (ImageNet has two kinds of crane) with their folder behind them."""
    count = Counter(names)
    return tuple(f"{name} ({folder})" if count[name] > 1 else name for name, folder in zip(names, folders, strict=True))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidData(f"{path} is not text in UTF-8 ({error}): save it as that") from error


def read_labels(path: Path | None, classes: int) -> Names:
    """One name a class; without a file, the classes' numbers. Raises InvalidModel where their count differs."""
    if path is None:
        return tuple(map(str, range(classes)))
    names = _parse(_name_text(path), path)
    if len(names) != classes:
        raise InvalidModel(
            f"{path} has {len(names):,} labels, and the graph has {classes:,} classes: "
            "give the labels that it was trained with"
        )
    for place, name in enumerate(names):
        if not name:
            raise InvalidModel(f"{path} has no name for class {place}: write one, or remove the empty line")
    return names


def _name_text(path: Path) -> str:
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

"""The reader of files with class names, which `--labels` names, for folders of images and for ONNX files."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from training.errors import InvalidData

Names = tuple[str, ...]


def read_class_names(path: Path, classes: int, folders: Names = ()) -> Names:
    """One name a class in the order of the classes, from a file in UTF-8; `folders` are those of a data set's classes.

    The file has a name a line in the order of the classes, or is JSON: a list of names, or an object of names by number
    (`{"0": "tench"}`) or by folder. Where JSON has a list in place of a name, its last item counts, as in Keras's
    `imagenet_class_index.json`. Where there are folders, lines may also be `FOLDER NAME` in any order, as in
    `n01440764 tench`; other lines are then ignored. A name that several folders share gets the folder in parentheses.

    Raises InvalidData where the file does not give each class a name, OSError where it cannot be read.
    """
    text = _read_text(path)
    is_json = text.lstrip().startswith(("[", "{"))
    names = _parse_json(text, path, folders) if is_json else _parse_lines(text, path, folders)
    if len(names) != classes:
        form = "`FOLDER NAME` on each line, or " if folders else ""
        raise InvalidData(
            f"{path} has {len(names):,} names for {classes:,} classes: write {form}one name a line in the order of "
            f"the {'folders' if folders else 'classes'}"
        )
    for number, name in enumerate(names):
        if not name:
            raise InvalidData(f"{path} has no name for class {number}: write one, or remove the empty line")
    return _add_folders(names, folders) if folders else names


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidData(f"{path} is not text in UTF-8 ({error}): save it as that") from error


def _parse_json(text: str, path: Path, folders: Names) -> Names:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidData(f"{path} starts as JSON does but is none ({error}): repair it") from error
    values = _in_order(document, path, folders) if isinstance(document, dict) else document
    return tuple(_parse_name(value, path) for value in values)


def _in_order(document: dict[str, Any], path: Path, folders: Names) -> list[Any]:
    """The values of an object by number or, where it has all folders, by folder."""
    if folders and document.keys() >= set(folders):
        return [document[folder] for folder in folders]
    numbers = [str(number) for number in range(len(document))]
    if document.keys() != set(numbers):
        raise InvalidData(f"{path} must name its classes from 0 to {len(document) - 1}, each once")
    return [document[number] for number in numbers]


def _parse_name(value: object, path: Path) -> str:
    last = value[-1] if isinstance(value, list) and value else value
    if not isinstance(last, str):
        raise InvalidData(f"{path} must hold texts, not {last!r:.40}")
    return last.strip()


def _parse_lines(text: str, path: Path, folders: Names) -> Names:
    """Names by folder, if any line begins with a folder; else every line is a name."""
    lines = tuple(line.strip() for line in text.rstrip().splitlines())
    by_folder = _names_by_folder(lines, frozenset(folders))
    missing = [folder for folder in folders if folder not in by_folder]
    if by_folder and missing:
        raise InvalidData(f"{path} has no line for the folder {missing[0]!r}: write `{missing[0]} NAME` there")
    return tuple(by_folder[folder] for folder in folders) if by_folder else lines


def _names_by_folder(lines: Names, folders: frozenset[str]) -> dict[str, str]:
    """Names from lines that begin with a folder and a space; of several such folders the longest counts."""
    names = {}
    for line in lines:
        ends = [space.start() for space in re.finditer(r"\s", line) if line[: space.start()] in folders]
        if ends:
            names[line[: ends[-1]]] = line[ends[-1] :].strip()
    return names


def _add_folders(names: Names, folders: Names) -> Names:
    """The names, with the folder behind those that occur more than once (ImageNet has two kinds of crane)."""
    count = Counter(names)
    return tuple(f"{name} ({folder})" if count[name] > 1 else name for name, folder in zip(names, folders, strict=True))

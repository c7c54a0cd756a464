"""The names of classes whose folders are called otherwise, from a file: ImageNet's `n01440764` is a tench."""

import re
from collections import Counter
from pathlib import Path

from training.errors import InvalidData

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

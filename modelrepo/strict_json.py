"""Strict reading of JSON: every value that the contract does not allow is an error that names its path.

A converter takes a value as `json.loads` gives it and the value's path in the document (`"layers[3].name"`); it
returns what the value means or raises InvalidMetadata with that path. The class of a JSON object names the converter
of every member beside the member's type, and mypy checks one against the other:

    @json_object
    class FileRecord:
        sha256: str = member(text)
        size: int = member(integer(0))

    read = array(record(FileRecord))
"""

import json
import math
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, Protocol, TypeVar, dataclass_transform, overload

from modelrepo.errors import InvalidMetadata

T = TypeVar("T")
Converter = Callable[[Any, str], T]
JsonObject = Mapping[str, Any]


class Dataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


Object = TypeVar("Object", bound=Dataclass)

MAX_VALUES = 100_000  # in a document: json.loads holds up every other thread meanwhile, for 10 to 50 ms
MAX_DIGITS = 500  # of an integer
MAX_DEPTH = 32  # of lists and objects in one another
MAX_INTEGER = 2**63 - 1
MAX_SHOWN = 500  # characters of a wrong value in a sentence

_SURROGATE = re.compile(r"\\u[dD]")
_CONVERTER = "converter"  # the key in the metadata of a dataclass field


def parse_json(text: str) -> Any:
    """The document as `json.loads` gives it; raises ValueError, or RecursionError for what is too deep.

    A document may not be longer or deeper than bundles need. A name that is there twice and NaN are errors, and so is
    half of a surrogate pair, which an escape can write: no response could hold it.
    """
    if sum(map(text.count, ",[{")) > MAX_VALUES:
        raise ValueError(f"it has more than {MAX_VALUES:,} values")
    document = json.loads(text, object_pairs_hook=_unique, parse_int=_to_int, parse_constant=_refuse_constant)
    _check_depth(document)
    if _SURROGATE.search(text):
        json.dumps(document, ensure_ascii=False).encode()
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has {shown(twice)} twice in one object")
    return members


def _to_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"it has an integer of {len(digits):,} digits")
    return int(digits)


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _check_depth(document: Any) -> None:
    level = [document] if isinstance(document, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        members = [each.values() if isinstance(each, dict) else each for each in level]
        level = [child for each in members for child in each if isinstance(child, (dict, list))]
        if not level:
            return
    raise RecursionError(f"it has lists and objects in one another more than {MAX_DEPTH} deep")


def shown(value: Any) -> str:
    """A value in a sentence, however long it is."""
    if isinstance(value, (dict, list)):
        return _kind(value)
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def text(value: Any, path: str) -> str:
    """A string that is not empty."""
    if not isinstance(value, str) or not value:
        raise InvalidMetadata(path, f"must be a text that is not empty, not {_kind(value)}")
    return value


def any_text(value: Any, path: str) -> str:
    """A string, which may be empty."""
    if not isinstance(value, str):
        raise InvalidMetadata(path, f"must be a text, not {_kind(value)}")
    return value


def short_text(maximum: int) -> Converter[str]:
    """A string of at most so many characters, which may be empty."""

    def convert(value: Any, path: str) -> str:
        if len(any_text(value, path)) > maximum:
            raise InvalidMetadata(path, f"must have at most {maximum:,} characters, not {len(value):,}")
        return str(value)

    return convert


def file_path(value: Any, path: str) -> str:
    """The path of a file in a bundle, relative to the bundle's folder and inside it."""
    name = any_text(value, path)
    if name.startswith("/") or ".." in name.split("/") or "\0" in name or name == ".":
        raise InvalidMetadata(path, "must be a path inside the bundle")
    if name != posixpath.normpath(name):
        raise InvalidMetadata(path, "must be a path in its shortest form")
    return name


def integer(minimum: int, maximum: int = MAX_INTEGER) -> Converter[int]:
    """An integer of at least `minimum` and at most `maximum`; true and false are none."""

    def convert(value: Any, path: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
            raise InvalidMetadata(path, f"must be an integer of at least {minimum}, not {shown(value)}")
        if value > maximum:
            raise InvalidMetadata(path, f"must be at most {maximum}, not {shown(value)}")
        return value

    return convert


def number(value: Any, path: str) -> float:
    """A finite number; true and false are none."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:  # an integer that no float holds
        pass
    raise InvalidMetadata(path, f"must be a finite number, not {shown(value)}")


def boolean(value: Any, path: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise InvalidMetadata(path, f"must be true or false, not {shown(value)}")
    return value


def choice(allowed: Sequence[str]) -> Converter[str]:
    """One of the texts in `allowed`."""

    def convert(value: Any, path: str) -> str:
        if value not in allowed:
            raise InvalidMetadata(path, f"must be one of {', '.join(allowed)}, not {shown(value)}")
        return str(value)

    return convert


def any_array(value: Any, path: str) -> list[Any]:
    """An array of any items."""
    if not isinstance(value, list):
        raise InvalidMetadata(path, f"must be an array, not {_kind(value)}")
    return value


def array(item: Converter[T]) -> Converter[tuple[T, ...]]:
    """An array, every item read by `item`."""

    def convert(value: Any, path: str) -> tuple[T, ...]:
        items = enumerate(any_array(value, path))
        return tuple([item(each, f"{path}[{position}]") for position, each in items])

    return convert


def sizes(value: Any, path: str) -> tuple[int | None, ...]:
    """An array of axes' lengths, each at least 0, or null for an axis that is free."""
    for position, length in enumerate(any_array(value, path)):
        is_integer = isinstance(length, int) and not isinstance(length, bool)
        if length is not None and not (is_integer and 0 <= length <= MAX_INTEGER):
            raise InvalidMetadata(f"{path}[{position}]", f"must be a size or null, not {shown(length)}")
    return tuple(value)


def any_object(value: Any, path: str) -> JsonObject:
    """An object of any members; `path` is empty for the document itself."""
    if not isinstance(value, dict):
        raise InvalidMetadata(path or "(document)", f"must be an object, not {_kind(value)}")
    return value


def mapping(item: Converter[T], key: Converter[str] = any_text) -> Converter[dict[str, T]]:
    """An object of any number of members, every name read by `key` and every value by `item`."""

    def convert(value: Any, path: str) -> dict[str, T]:
        prefix = f"{path}." if path else ""
        return {key(name, prefix + name): item(each, prefix + name) for name, each in any_object(value, path).items()}

    return convert


@overload
def member(converter: Converter[T]) -> T: ...
@overload
def member(converter: Converter[T], *, default: None) -> T | None: ...
def member(converter: Converter[T], *, default: Any = MISSING) -> Any:
    """A member of a `json_object` and its converter; with a `default` it may be absent or null."""
    return field(default=default, metadata={_CONVERTER: converter})


@dataclass_transform(frozen_default=True, field_specifiers=(member,))
def json_object(cls: type[T]) -> type[T]:
    """Make a class whose attributes are all `member`s a frozen dataclass that `record` reads from JSON."""
    return dataclass(frozen=True)(cls)


def record(cls: type[Object], defaults: JsonObject | None = None, *, only_known: bool = False) -> Converter[Object]:
    """An object with the members of a `json_object`, as an instance of it.

    A member that is absent or null takes its default: the one in `defaults`, else the class's own. Members that the
    class does not have are ignored; with `only_known` they are an error.
    """
    converters = {each.name: each.metadata[_CONVERTER] for each in fields(cls)}
    absent = {each.name: each.default for each in fields(cls) if each.default is not MISSING} | dict(defaults or {})

    def convert(value: Any, path: str) -> Object:
        given = any_object(value, path)
        prefix = f"{path}." if path else ""
        if only_known:
            _check_known(given, converters, prefix)
        members = []
        for name, converter in converters.items():
            content = given.get(name)
            if content is None and name in absent:
                members.append(absent[name])
            elif content is None and name not in given:
                raise InvalidMetadata(prefix + name, "is missing")
            else:
                members.append(converter(content, prefix + name))
        return cls(*members)

    return convert


def _check_known(given: JsonObject, known: Mapping[str, Any], prefix: str) -> None:
    for name in given:
        if name not in known:
            raise InvalidMetadata(prefix + name, f"is not known here; known are {', '.join(known)}")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")

"""Strict reading of JSON: every wrong value becomes an error that names its field."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from modelrepo.errors import InvalidMetadata

JsonObject = Mapping[str, Any]
T = TypeVar("T")


def parse_json(text: str) -> Any:
    """The document of a JSON text; raises ValueError or RecursionError.

    It raises also for half of a surrogate pair, which an escape can write and no response can hold.
    """
    document = json.loads(text)
    json.dumps(document, ensure_ascii=False).encode()
    return document


class Fields:
    """Typed access to the members of a JSON object.

    `path` is where the object stands in the document (`"input"`, `"layers[3]"`); it prefixes every error.
    """

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise InvalidMetadata(path or "(document)", f"must be an object, not {_kind(value)}")
        self._members: dict[str, Any] = value
        self._path = path

    def text(self, name: str) -> str:
        """A string that is not empty."""
        value = self._get(name)
        if not isinstance(value, str) or not value:
            raise self.invalid(name, f"must be a text that is not empty, not {_kind(value)}")
        return value

    def integer(self, name: str, minimum: int) -> int:
        """An integer of at least `minimum`; JSON's true and false are not integers."""
        return self._integer(name, self._get(name), minimum)

    def number(self, name: str) -> float:
        """A finite number."""
        value = self._get(name)
        if not _is_number(value):
            raise self.invalid(name, f"must be a finite number, not {value!r}")
        return float(value)

    def boolean(self, name: str) -> bool:
        """True or false, nothing that merely looks like it."""
        value = self._get(name)
        if not isinstance(value, bool):
            raise self.invalid(name, f"must be true or false, not {value!r}")
        return value

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """One of a few words."""
        value = self._get(name)
        if value not in allowed:
            raise self.invalid(name, f"must be one of {', '.join(allowed)}, not {value!r}")
        return str(value)

    def items(self, name: str) -> list[Any]:
        """An array, its items unchecked."""
        value = self._get(name)
        if not isinstance(value, list):
            raise self.invalid(name, f"must be an array, not {_kind(value)}")
        return value

    def integers(self, name: str, minimum: int) -> tuple[int, ...]:
        """An array of integers of at least `minimum`."""
        values = enumerate(self.items(name))
        return tuple(self._integer(f"{name}[{position}]", value, minimum) for position, value in values)

    def texts(self, name: str) -> tuple[str, ...]:
        """An array of strings."""
        values = self.items(name)
        for position, value in enumerate(values):
            if not isinstance(value, str):
                raise self.invalid(f"{name}[{position}]", f"must be a text, not {_kind(value)}")
        return tuple(values)

    def numbers(self, name: str) -> tuple[float, ...]:
        """An array of finite numbers."""
        values = self.items(name)
        for position, value in enumerate(values):
            if not _is_number(value):
                raise self.invalid(f"{name}[{position}]", f"must be a finite number, not {value!r}")
        return tuple(float(value) for value in values)

    def sizes(self, name: str) -> tuple[int | None, ...]:
        """An array of integers of at least 0, or null where a dimension is free."""
        values = self.items(name)
        for position, value in enumerate(values):
            if value is not None and not _is_integer(value, 0):
                raise self.invalid(f"{name}[{position}]", f"must be a size or null, not {value!r}")
        return tuple(values)

    def record(self, name: str) -> JsonObject:
        """An object whose members this contract does not fix."""
        value = self._get(name)
        if not isinstance(value, dict):
            raise self.invalid(name, f"must be an object, not {_kind(value)}")
        return value

    def rows(self, name: str, readers: "Mapping[str, Reader]") -> list[dict[str, Any]]:
        """An array of objects: of each, the members that have a reader."""
        items = enumerate(self.items(name))
        return [Fields(item, self.at(f"{name}[{position}]")).read(readers) for position, item in items]

    def objects(self, readers: "Mapping[str, Reader]") -> dict[str, dict[str, Any]]:
        """All members, which are objects: of each, the members that have a reader."""
        return {name: self.inner(name).read(readers) for name in self._members}

    def read(self, readers: "Mapping[str, Reader]") -> dict[str, Any]:
        """The members that have a reader, in the readers' order."""
        return {name: reader(self, name) for name, reader in readers.items()}

    def inner(self, name: str) -> "Fields":
        """The reader of an object inside this one."""
        return Fields(self._get(name), self.at(name))

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        """What `read` makes of the member, or None where it is absent or null."""
        return None if self._members.get(name) is None else read(name)

    def value(self, name: str) -> Any:
        """The member as it is."""
        return self._get(name)

    def only(self, *names: str) -> None:
        """Raise where there is a member that is none of these: it would be taken for one that works."""
        for name in self._members:
            if name not in names:
                raise self.invalid(name, f"is not known here; known are {', '.join(names)}")

    def names(self) -> list[str]:
        """The members that the object has."""
        return list(self._members)

    def at(self, name: str) -> str:
        """The full path of a member."""
        return f"{self._path}.{name}" if self._path else name

    def invalid(self, name: str, problem: str) -> InvalidMetadata:
        """The error for a member, for the caller to raise."""
        return InvalidMetadata(self.at(name), problem)

    def _integer(self, name: str, value: Any, minimum: int) -> int:
        if not _is_integer(value, minimum):
            raise self.invalid(name, f"must be an integer of at least {minimum}, not {value!r}")
        return int(value)

    def _get(self, name: str) -> Any:
        if name not in self._members:
            raise self.invalid(name, "is missing")
        return self._members[name]


Reader = Callable[[Fields, str], Any]  # a method of Fields, or what follows


def at_least(minimum: int) -> Reader:
    """A reader of an integer."""
    return lambda fields, name: fields.integer(name, minimum)


def or_none(reader: Reader) -> Reader:
    """A reader of a member that may be absent or null."""
    return lambda fields, name: fields.optional(name, lambda name: reader(fields, name))


def _is_integer(value: Any, minimum: int) -> bool:
    """JSON's true and false are none, although Python counts them among its integers."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float holds
        return False


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")

"""`model`, `version` and `top_k` of a native request, wherever the client writes them, and names that are none."""

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Any

from service.errors import InvalidRequest

PARAMETERS = ("model", "version", "top_k")
MAX_NAME = 80  # characters of a name, which an error repeats
_ALIASES = {"k": "top_k", "n": "top_k", "topn": "top_k", "limit": "top_k"}


class Parameters:
    """What path, query and body of one request say: twice the same is fine, a contradiction is an InvalidRequest."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, str]] = {}  # by name: the value, and where it is

    def add(self, name: str, value: Any, place: str) -> None:
        """Note a value, a text or a number; None is none."""
        if value is None:
            return
        if not isinstance(value, str | int | float):
            raise InvalidRequest(f'"{name}" in {place} must be a text or a number')
        known, other_place = self._values.setdefault(name, (str(value), place))
        if known != str(value):
            both = f"{name} is {known!r:.82} in {other_place} and {str(value)!r:.82} in {place}"
            raise InvalidRequest(f"{both}: say it once, or the same in both")

    def get(self, name: str) -> str | None:
        """The value as the client wrote it."""
        return self._values[name][0] if name in self._values else None

    @property
    def is_set(self) -> bool:
        """Whether any is said."""
        return bool(self._values)

    @property
    def wanted(self) -> tuple[str | None, str | None]:
        """The model and the version that shall respond."""
        return self.get("model"), self.get("version")


def read_url_parameters(
    name: str | None, version: str | None, query: Iterable[tuple[str, str]], known: Collection[str] = PARAMETERS
) -> Parameters:
    """Model and version in the path, and the `known` parameters in the query; raises InvalidRequest for others."""
    parameters = Parameters()
    parameters.add("model", name, "the path")
    parameters.add("version", version, "the path")
    for parameter, value in query:
        check_names([parameter], known, "query parameter")
        parameters.add(parameter, value, "the query")
    return parameters


def check_names(names: Iterable[str], known: Collection[str], kind: str) -> None:
    """Raise InvalidRequest for a name that is none of the known ones, with the one that may be meant.

    `kind` is what the names are called, such as "query parameter".
    """
    for name in names:
        if name not in known:
            guess = _closest(name[:MAX_NAME], known)
            hint = f', did you mean "{guess}"? There are' if guess else ": there are"
            *others, last = (f'"{each}"' for each in known)
            raise InvalidRequest(f"there is no {kind} {name!r:.82}{hint} {', '.join(others)} and {last}")


def _closest(name: str, known: Collection[str]) -> str | None:
    """The known name of which this may be a misspelling."""
    spellings = {_plain(each): each for each in known}
    spellings |= {alias: meant for alias, meant in _ALIASES.items() if meant in known}
    plain = _plain(name)
    matches = [plain] if plain in spellings else get_close_matches(plain, spellings, n=1, cutoff=0.65)
    return spellings[matches[0]] if matches else None


def _plain(name: str) -> str:
    """The name without case, hyphens and the like."""
    return re.sub("[^a-z0-9]", "", name.lower())

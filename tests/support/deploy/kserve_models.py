"""KServe's documents, checked against the classes that KServe generates from its definitions."""

import re
from collections.abc import Iterator
from typing import Any

from kserve import models

LIST = re.compile(r"list\[(\w+)\]")
PRIMITIVES = {"str": str, "int": int, "bool": bool, "dict(str, str)": dict}


def undeclared_members(document: dict[str, Any], kind: str, path: str = "") -> Iterator[str]:
    """Members that the class `kind` lacks, or whose type differs; Kubernetes' own types are not checked."""
    known = getattr(models, kind)
    names = {outside: inside for inside, outside in known.attribute_map.items()}
    for name, value in document.items():
        place = f"{path}.{name}".lstrip(".")
        if name in names:
            yield from _differences(value, known.openapi_types[names[name]], place)
        else:
            yield f"{place} is no member of {kind}"


def _differences(value: Any, kind: str, place: str) -> Iterator[str]:
    if found := LIST.fullmatch(kind):
        for position, each in enumerate(value):
            yield from _differences(each, found[1], f"{place}[{position}]")
    elif kind in PRIMITIVES:
        if not isinstance(value, PRIMITIVES[kind]):
            yield f"{place} is no {kind}"
    elif hasattr(models, kind):
        yield from undeclared_members(value, kind, place)

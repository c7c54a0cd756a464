"""Mutations of the structure of a request's JSON, at any depth."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.support.fuzz.body_mutations import damage_body
from tests.support.fuzz.corpus import Request
from tests.support.fuzz.random_choice import Random, pick

RAW = "\x02"  # before a text that is to stand in the JSON without its quotes
AGAIN = "\x01"  # before a member's name that is there already

VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2, 255, 256, 0.5, -0.0, 1e308, 5e-324),
    *(2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64 - 1, 2**64),
    *("", "0", "serving_default", "image", "probabilities", "BYTES", "\x00", "\ud800", "{}%s{0}", "x" * 5000),
    *([], {}, [[]], [{}], [None], [1, [2]], {"": ""}, {"b64": ""}, {"b64": "AAAA"}, {"b64": 1, "c": 2}),
    *(RAW + text for text in ("NaN", "-Infinity", "1e400", "-1e400", "1" + "0" * 400, "9" * 5000, "01", "1.", "tru")),
    *(RAW + text for text in ("[" * 10_000, "[" * 500 + "]" * 500, '{"a":' * 10_000)),
)
SHAPES: tuple[list[Any], ...] = (
    *([], [0], [1], [2], [64], [8, 8], [1, 8, 8], [1, 8, 8, 1], [2, 8, 8, 1], [2, 1, 8, 8], [2, 64], [128]),
    *([0, 8, 8, 1], [65, 8, 8, 1], [-1, 8, 8, 1], [-2, -8, 8, 1], [2.0, 8, 8, 1], ["2", 8, 8, 1], [True, 8, 8, 1]),
    *([None], [[2, 8, 8, 1]], [1] * 40, [2**31, 8, 8, 1], [2**32, 2**32], [2**62, 4], [2**63]),
    *([2**64 - 1, 2**64 - 1], [0, 2**64 - 1]),
)
DATATYPES = (
    *("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"),
    *("FP16", "FP32", "FP64", "BF16", "BYTES", "STRING", "uint8", "UINT8 ", ""),
)
MEMBERS: dict[str, tuple[Any, ...]] = {
    "shape": SHAPES,
    "datatype": DATATYPES,
    "data": ([], [0] * 64, [[0] * 64], [""], ["AAAA"], [None], [255.5] * 64, [2**70] * 64, list(range(200))),
    "parameters": ({}, [], {"binary_data_size": 64}, {"binary_data": True}, {"classification": 1}),
    "binary_data_size": (0, 1, 63, 64, 65, 128, -1, -64, 64.0, 2**31, 2**63, 2**64 - 1, "64", True),
    "binary_data": (True, False, 1, "true"),
    "binary_data_output": (True, False, 0, "false"),
    "classification": (0, 1, 2, 3, 4, 1000, -1, 2**63, 1.5, "2", True),
    "timeout": (0, 1, 1000, 10**9, 2**64 - 1, -1, 0.5, "1"),
    "outputs": ([], {}, [{"name": "probabilities"}], [{"name": "probabilities"}] * 2, [{"name": "x"}], [{}]),
    "inputs": ([], {}, [{}], [{"name": "image"}], {"image": []}, {"image_bytes": []}),
    "instances": ([], {}, [[]], [{}], [{"image": []}], [{"b64": "AAAA"}], [[0] * 64], [[[[0]] * 8] * 8] * 70),
    "examples": ([], {}, [{}], [{"image": []}], [{"image": [0] * 64}], [{}] * 70),
    "context": ({}, [], {"image": [0] * 64}, {"image": {"b64": "AAAA"}}),
    "signature_name": ("", "serving_default", "x" * 1000, 1),
    "images": ([], [""], ["AAAA"], [""] * 100_000),
    "image": ("", "AAAA", "data:", "data:,", "data:image/png;base64,AAAA", "é" * 100),
    "b64": ("", "AAAA", "A", "*", "-_-_"),
    "name": ("image", "probabilities", ""),
    "top_k": (1, "2", 0, 2.0, True, None, [], {}, 2**64 - 1, "9" * 5000),
    "version": (1, "1", 2, 9, "x", None, True),
    "model": ("mnist", "colour", "nothing", "", 1, None, "x" * 5000),
    "id": ("", "x" * 5000, "\ud83d\ude00", 1),
    "ready": (True, False, "true"),
    "shared_memory_region": ("mine",),
    "triton_secret": (1,),
    "sequence_id": (1, "a", 2**64 - 1),
}

Operation = Callable[[Any, Any, Random], None]  # on a container, at a key


def restructure(request: Request, random: Random) -> Request:
    """Change the JSON of the body at one place, at any depth."""
    try:
        document = [json.loads(request.json)]
    except (ValueError, RecursionError):  # there is none, or it is broken already
        return damage_body(request, random)
    container, key = _random_place(document, random)
    pick(random, OPERATIONS)(container, key, random)
    text = json.dumps(document[0] if document else None).replace(r"\u0001", "")
    return replace(request, json=re.sub(r'"\\u0002((?:[^"\\]|\\")*)"', _unquoted, text).encode())


def _unquoted(match: re.Match[str]) -> str:
    return match[1].replace(r"\"", '"')


def _random_place(document: Any, random: Random) -> tuple[Any, Any]:
    """A container and a key in it, drawn level by level, so that deep places are not more likely."""
    container, key = document, 0
    while isinstance(container[key], dict | list) and container[key] and random.random() < 0.8:
        container = container[key]
        key = pick(random, list(container) if isinstance(container, dict) else range(len(container)))
    return container, key


def put_value(container: Any, key: Any, random: Random) -> None:
    """Put a value of another type or size."""
    known = MEMBERS.get(key) if isinstance(key, str) else None
    container[key] = pick(random, known if known and random.random() < 0.7 else VALUES)


def delete(container: Any, key: Any, _: Random) -> None:
    """Remove the value."""
    del container[key]


def duplicate(container: Any, key: Any, random: Random) -> None:
    """Double an item, or a member with its name."""
    if isinstance(container, list):
        container.insert(key, container[key])
    else:
        container[AGAIN + key] = pick(random, (container[key], pick(random, VALUES)))


def retype(container: Any, key: Any, random: Random) -> None:
    """Convert the value to another type."""
    value = container[key]
    forms: list[Callable[[], Any]] = [lambda: str(value), lambda: [value], lambda: {"a": value}, lambda: bool(value)]
    if isinstance(value, list):
        forms += [lambda: dict(enumerate(value)), lambda: value[0] if value else None, lambda: value[::-1]]
    if isinstance(value, int | float):
        forms += [lambda: value + 1, lambda: -value, lambda: value + 0.5, lambda: value * 1e3]
    container[key] = pick(random, forms)()


def resize(container: Any, key: Any, random: Random) -> None:
    """Make a list or text longer or shorter."""
    value = container[key]
    if isinstance(value, list | str):
        container[key] = pick(random, (value[:0], value[: len(value) // 2], value[1:], value * 2, value * 50))
    elif isinstance(value, int | float):
        container[key] = value * pick(random, (0, 2, 1000, 2**32))


def rename(container: Any, key: Any, random: Random) -> None:
    """Rename a member, or copy it under another name."""
    if isinstance(key, str):
        name = pick(random, (pick(random, list(MEMBERS)), key.upper(), f"{key}_bytes", f" {key}", "", "__proto__"))
        container[name] = container[key] if random.random() < 0.3 else container.pop(key)


def add_member(container: Any, key: Any, random: Random) -> None:
    """Add a member that some protocol knows."""
    name = pick(random, list(MEMBERS))
    for each in (container[key], container):
        if isinstance(each, dict):
            each[name] = pick(random, MEMBERS[name])
            return


OPERATIONS: tuple[Operation, ...] = (
    *(put_value, put_value, put_value),
    *(add_member, add_member),
    *(delete, duplicate, retype, resize, rename),
)

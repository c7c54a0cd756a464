"""The members of the protocol's JSON objects, each of the type that it has to have; all raise InvalidRequest."""

from collections.abc import Mapping
from typing import Any

from service.errors import InvalidRequest

MAX_AXES = 8  # an image tensor has four
RESERVED = "triton_"  # parameters that begin so are the server's own
SHARED_MEMORY = "shared_memory_region"

JsonObject = Mapping[str, Any]
Parameters = Mapping[str, str | float | bool]


def as_object(value: Any, what: str) -> JsonObject:
    """The value, which is an object."""
    if not isinstance(value, dict):
        raise InvalidRequest(f"{what} must be a JSON object")
    return value


def read_list(document: JsonObject, name: str, optional: bool = False) -> list[Any]:
    """An array of tensors, empty where it may be left out and is."""
    if name not in document and optional:
        return []
    value = document.get(name)
    if not isinstance(value, list):
        raise InvalidRequest(f'"{name}" must be an array of tensors')
    return value


def read_text(document: JsonObject, name: str) -> str:
    """A text."""
    value = document.get(name)
    if not isinstance(value, str):
        raise InvalidRequest(f'"{name}" must be a text' + ("" if name in document else ", and is missing"))
    return value


def read_shape(document: JsonObject, name: str) -> tuple[int, ...]:
    """The shape of the input of this name."""
    shape = document.get("shape")
    if not isinstance(shape, list) or not all(is_count(length) for length in shape):
        raise InvalidRequest(f'input {name!r}: "shape" must be an array of whole numbers that are not negative')
    if len(shape) > MAX_AXES:
        raise InvalidRequest(f"input {name!r} has {len(shape)} axes: an image tensor has four")
    return tuple(shape)


def read_parameters(document: JsonObject, what: str) -> Parameters:
    """The parameters of the request, of an input or of an output."""
    parameters = as_object(document.get("parameters", {}), f"parameters of {what}")
    for name, value in parameters.items():
        if name.startswith(RESERVED):
            raise InvalidRequest(f"parameter {name!r} is reserved, as all that begin with {RESERVED} are: leave it out")
        if name == SHARED_MEMORY:
            raise InvalidRequest("this server has no shared memory: send the tensor in the request")
        if not isinstance(value, str | int | float):  # booleans are integers here
            raise InvalidRequest(f"parameter {name!r} of {what} must be a text, a number, true or false")
    return parameters


def read_boolean(members: JsonObject, name: str, default: bool) -> bool:
    """A truth value."""
    value = members.get(name, default)
    if not isinstance(value, bool):
        raise InvalidRequest(f'"{name}" must be true or false, not {value!r}')
    return value


def is_count(value: Any) -> bool:
    """Whether this is a whole number of at least 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0

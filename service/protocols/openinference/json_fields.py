"""Readers of the members of the protocol's JSON objects; each raises InvalidRequest for a value of a wrong type."""

from collections.abc import Mapping
from typing import Any

from service.errors import InvalidRequest

MAX_AXES = 8  # an image tensor has four
MAX_NAME = 256  # characters of a name, which error messages repeat
RESERVED = "triton_"  # parameters that begin so are the server's own
SHARED_MEMORY = "shared_memory_region"

JsonObject = Mapping[str, Any]
Parameters = Mapping[str, str | float | bool]


def as_object(value: Any, what: str) -> JsonObject:
    """The value, which has to be an object."""
    if not isinstance(value, dict):
        raise InvalidRequest(f"{what} must be a JSON object")
    return value


def read_list(document: JsonObject, name: str, optional: bool = False) -> list[Any]:
    """An array of tensors; where it is `optional` and left out, an empty one."""
    value = document.get(name)
    if value is None and optional:
        return []
    if not isinstance(value, list):
        raise InvalidRequest(f'"{name}" must be an array of tensors{_missing(document, name)}')
    return value


def read_name(document: JsonObject, member: str = "name") -> str:
    """A text of at most MAX_NAME characters."""
    value = document.get(member)
    if not isinstance(value, str):
        raise InvalidRequest(f'"{member}" must be a text{_missing(document, member)}')
    if len(value) > MAX_NAME:
        raise InvalidRequest(f'"{member}" has {len(value)} characters: none has more than {MAX_NAME}')
    return value


def read_id(document: JsonObject) -> str | None:
    """The request's id, if it has one."""
    value = document.get("id")
    if value is not None and not isinstance(value, str):
        raise InvalidRequest('"id" must be a text')
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
    given = document.get("parameters")
    parameters = as_object({} if given is None else given, f"parameters of {what}")
    for name, value in parameters.items():
        if name.startswith(RESERVED):
            raise InvalidRequest(f"parameter {name!r:.80} is reserved, as all in {RESERVED}… are: leave it out")
        if name == SHARED_MEMORY:
            raise InvalidRequest("this server has no shared memory: send the tensor in the request")
        if not isinstance(value, str | int | float):  # booleans are integers here
            raise InvalidRequest(f"parameter {name!r:.80} of {what} must be a text, a number, true or false")
    return parameters


def read_boolean(members: JsonObject, name: str, default: bool) -> bool:
    """True or false."""
    value = members.get(name, default)
    if not isinstance(value, bool):
        raise InvalidRequest(f'"{name}" must be true or false')
    return value


def is_count(value: Any) -> bool:
    """Whether this is a whole number of at least 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _missing(document: JsonObject, name: str) -> str:
    return "" if name in document else ", and is missing"

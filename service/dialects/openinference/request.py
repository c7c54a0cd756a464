"""An inference request as a value: its JSON part checked member by member, its binary tensors cut from behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.errors import InvalidRequest
from service.jsontext import parse_json

MAX_AXES = 8  # an image tensor has four
RESERVED = "triton_"  # parameters that begin so are the server's own
SHARED_MEMORY = "shared_memory_region"

JsonObject = Mapping[str, Any]
Parameters = Mapping[str, str | float | bool]


@dataclass(frozen=True)
class Tensor:
    """An input: its elements are either JSON (`data`) or bytes (`binary`)."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Any
    binary: memoryview | None


@dataclass(frozen=True)
class Output:
    """How the client wants an output: as bytes or JSON, and as the best classes (at most `classes`) or all scores."""

    name: str
    binary: bool
    classes: int | None


@dataclass(frozen=True)
class InferRequest:
    """`outputs` is empty where the client wants all, in the form that `binary` says."""

    id: str | None
    inputs: tuple[Tensor, ...]
    outputs: tuple[Output, ...]
    binary: bool
    timeout: float | None  # seconds that the client waits


def parse_request(content: bytes, header_length: int) -> InferRequest:
    """Read `header_length` bytes of JSON and the tensors' bytes behind them; raises InvalidRequest."""
    document = _object(parse_json(content[:header_length]), "the request")
    parameters = _parameters(document, "the request")
    binary = _boolean(parameters, "binary_data_output", default=False)
    return InferRequest(
        id=_text(document, "id") if "id" in document else None,
        inputs=_inputs(_list(document, "inputs"), memoryview(content)[header_length:]),
        outputs=tuple(_output(each, binary) for each in _list(document, "outputs", optional=True)),
        binary=binary,
        timeout=_timeout(parameters),
    )


def _inputs(documents: list[Any], blobs: memoryview) -> tuple[Tensor, ...]:
    """The inputs, each with its share of the bytes, in the order of the JSON."""
    tensors = []
    for document in documents:
        tensor, blobs = _input(_object(document, "an input"), blobs)
        tensors.append(tensor)
    if blobs:
        raise InvalidRequest(f"{len(blobs)} bytes follow that no input's binary_data_size accounts for")
    return tuple(tensors)


def _input(document: JsonObject, blobs: memoryview) -> tuple[Tensor, memoryview]:
    name = _text(document, "name")
    parameters = _parameters(document, f"input {name!r}")
    _refuse_shared_memory(parameters)
    size = parameters.get("binary_data_size")
    if (size is None) == ("data" not in document):
        raise InvalidRequest(f'input {name!r} must have either "data" or the parameter binary_data_size')
    tensor = Tensor(name, _text(document, "datatype"), _shape(document, name), document.get("data"), None)
    if size is None:
        return tensor, blobs
    if not _is_count(size) or int(size) > len(blobs):
        raise InvalidRequest(f"input {name!r} claims binary_data_size {size!r}, but {len(blobs)} bytes are there")
    binary, rest = blobs[: int(size)], blobs[int(size) :]
    return Tensor(tensor.name, tensor.datatype, tensor.shape, None, binary), rest


def _output(value: Any, binary: bool) -> Output:
    document = _object(value, "an output")
    name = _text(document, "name")
    parameters = _parameters(document, f"output {name!r}")
    _refuse_shared_memory(parameters)
    classes = parameters.get("classification")
    if classes is not None and (not _is_count(classes) or int(classes) < 1):
        raise InvalidRequest(f"classification must be a whole number of at least 1, not {classes!r}")
    wanted = _boolean(parameters, "binary_data", default=binary)
    return Output(name, wanted, None if classes is None else int(classes))


def _timeout(parameters: Parameters) -> float | None:
    """The reserved parameter `timeout` is in microseconds; 0 means none."""
    timeout = parameters.get("timeout", 0)
    if not _is_count(timeout):
        raise InvalidRequest(f"timeout must be a whole number of microseconds, not {timeout!r}")
    return int(timeout) / 1e6 or None


# One member of a JSON object


def _object(value: Any, what: str) -> JsonObject:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{what} must be a JSON object")
    return value


def _list(document: JsonObject, name: str, optional: bool = False) -> list[Any]:
    if name not in document and optional:
        return []
    value = document.get(name)
    if not isinstance(value, list):
        raise InvalidRequest(f'"{name}" must be an array of tensors')
    return value


def _text(document: JsonObject, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise InvalidRequest(f'"{name}" must be a text' + ("" if name in document else ", and is missing"))
    return value


def _shape(document: JsonObject, name: str) -> tuple[int, ...]:
    shape = document.get("shape")
    if not isinstance(shape, list) or not all(_is_count(length) for length in shape):
        raise InvalidRequest(f'input {name!r}: "shape" must be an array of whole numbers that are not negative')
    if len(shape) > MAX_AXES:
        raise InvalidRequest(f"input {name!r} has {len(shape)} axes: an image tensor has four")
    return tuple(shape)


def _parameters(document: JsonObject, what: str) -> Parameters:
    parameters = _object(document.get("parameters", {}), f"parameters of {what}")
    for name, value in parameters.items():
        if name.startswith(RESERVED):
            raise InvalidRequest(
                f"parameter {name!r} is not for clients: names that begin with {RESERVED} are reserved"
            )
        if not isinstance(value, str | int | float):  # booleans are integers here
            raise InvalidRequest(f"parameter {name!r} of {what} must be a text, a number, true or false")
    return parameters


def _boolean(parameters: Parameters, name: str, default: bool) -> bool:
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise InvalidRequest(f"parameter {name!r} must be true or false, not {value!r}")
    return value


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _refuse_shared_memory(parameters: Parameters) -> None:
    if SHARED_MEMORY in parameters:
        raise InvalidRequest("this server has no shared memory: send the tensor in the request")

"""Requests of the protocol as values: the JSON checked member by member, with the binary tensors behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.codecs.json_bodies import parse_json
from service.codecs.limits import MAX_JSON_NUMBERS
from service.errors import InvalidRequest, Unsupported
from service.protocols.common import parse_count
from service.protocols.openinference.datatypes import BYTES

MAX_AXES = 8  # an image tensor has four
MAX_PARAMETERS = 256  # of a request or tensor; this protocol defines five
MAX_TENSORS = 64  # of one request: every model has one input and one output
MAX_NAME = 256  # characters of a name, which error messages repeat
MAX_ID = 4096  # characters of a request's id, which the response repeats
LEAST_TIMEOUT = 1000  # microseconds; an idle worker's queue takes some 50
RESERVED = "triton_"  # parameters that begin so are the server's own
SHARED_MEMORY = "shared_memory_region"

JsonObject = Mapping[str, Any]
Parameters = Mapping[str, Any]  # those that are not known here may be of any type


@dataclass(frozen=True)
class Tensor:
    """An input: its elements are either JSON (`data`) or bytes (`binary`).

    The one BYTES input of a request may leave its length out, as in OpenVINO Model Server: its bytes are then the rest
    of the body (`is_rest`), and a single element needs no length before it.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Any
    binary: memoryview | None
    is_rest: bool = False


@dataclass(frozen=True)
class Output:
    """The requested form of an output: as bytes or JSON; its top `classes`, or all probabilities where that is None."""

    name: str
    binary: bool
    classes: int | None


@dataclass(frozen=True)
class InferRequest:
    """An inference request; `outputs` is empty where the client wants all, as bytes where `binary` is set."""

    id: str | None
    inputs: tuple[Tensor, ...]
    outputs: tuple[Output, ...]
    binary: bool
    timeout: float | None  # seconds in the queue after which the client wants no response


def parse_request(content: bytes, header_length: int, numbers: int = MAX_JSON_NUMBERS) -> InferRequest:
    """Read `header_length` bytes of JSON and the tensors' bytes behind them; raises InvalidRequest or TooLarge.

    `numbers` are the most that the model takes.
    """
    document = _as_object(parse_json(content[:header_length], numbers), "the request")
    parameters = _read_parameters(document, "the request")
    binary = _read_boolean(parameters, "binary_data_output", default=False)
    return InferRequest(
        id=_read_id(document),
        inputs=_inputs(_read_list(document, "inputs"), memoryview(content)[header_length:]),
        outputs=tuple(_output(each, binary) for each in _read_list(document, "outputs", optional=True)),
        binary=binary,
        timeout=_timeout(parameters),
    )


def parse_header_length(text: str | None, body: int) -> int:
    """The length of the JSON before the tensors; without a header, all `body` bytes. Raises InvalidRequest."""
    if text is None:
        return body
    length = parse_count(text, 0, body)
    if length is None:
        sentence = f"Inference-Header-Content-Length must be a whole number from 0 to {body}, the length of the body"
        raise InvalidRequest(f"{sentence}, not {text!r:.80}")
    return length


def parse_index_request(content: bytes) -> bool:
    """Whether the index shall list only versions that are ready; the body may be empty."""
    return _read_boolean(_optional_object(content), "ready", default=False)


def check_load_request(content: bytes) -> None:
    """Raise InvalidRequest where the body of a load or unload is not an object, Unsupported where it brings a model."""
    parameters = _optional_object(content).get("parameters")
    parameters = _as_object({} if parameters is None else parameters, '"parameters"')
    brought = [name for name in parameters if name == "config" or name.startswith("file:")]
    if brought:
        raise Unsupported(
            f"leave out {brought[0]!r:.80}: models come from the repository only, so put the bundle there"
        )


def _inputs(documents: list[Any], blobs: memoryview) -> tuple[Tensor, ...]:
    """The inputs, each with its share of the bytes, in the order of the JSON."""
    tensors = []
    for document in documents:
        tensor, blobs = _input(_as_object(document, "an input"), blobs, is_only=len(documents) == 1)
        tensors.append(tensor)
    if blobs:
        raise InvalidRequest(f"{len(blobs)} bytes follow that no input's binary_data_size accounts for")
    return tuple(tensors)


def _input(document: JsonObject, blobs: memoryview, is_only: bool) -> tuple[Tensor, memoryview]:
    name = _read_name(document)
    parameters = _read_parameters(document, f"input {name!r}")
    size, data = parameters.get("binary_data_size"), document.get("data")
    is_rest = is_only and size is data is None and len(blobs) > 0 and document.get("datatype") == BYTES
    if is_rest:
        size = len(blobs)
    if (size is None) == (data is None):
        raise InvalidRequest(f'input {name!r} must have either "data" or the parameter binary_data_size')
    if size is not None and (not _is_count(size) or int(size) > len(blobs)):
        raise InvalidRequest(f"input {name!r} claims binary_data_size {size!r:.80}, but {len(blobs)} bytes are there")
    binary = None if size is None else blobs[: int(size)]
    tensor = Tensor(name, _read_name(document, "datatype"), _read_shape(document, name), data, binary, is_rest)
    return tensor, blobs if size is None else blobs[int(size) :]


def _output(value: Any, binary: bool) -> Output:
    document = _as_object(value, "an output")
    name = _read_name(document)
    parameters = _read_parameters(document, f"output {name!r}")
    classes = parameters.get("classification")
    if classes is not None and (not _is_count(classes) or int(classes) < 1):
        raise InvalidRequest(f"classification must be a whole number of at least 1, not {classes!r:.80}")
    wanted = _read_boolean(parameters, "binary_data", default=binary)
    return Output(name, wanted, None if classes is None else int(classes))


def _timeout(parameters: Parameters) -> float | None:
    """The reserved parameter `timeout` is in microseconds; 0 means none, and so does one that no request could keep.

    Clients send such where they mean seconds, as tritony does; Triton ignores timeouts unless it is configured to obey.
    """
    timeout = parameters.get("timeout")
    if timeout is None:
        return None
    if not _is_count(timeout):
        raise InvalidRequest(f"timeout must be a whole number of microseconds, not {timeout!r:.80}")
    return int(timeout) / 1e6 if timeout >= LEAST_TIMEOUT else None


def _optional_object(content: bytes) -> JsonObject:
    return _as_object(parse_json(content), "the body") if content.strip() else {}


# Members of the JSON objects; each reader raises InvalidRequest for a value of a wrong type.


def _as_object(value: Any, what: str) -> JsonObject:
    """The value, which has to be an object."""
    if not isinstance(value, dict):
        raise InvalidRequest(f"{what} must be a JSON object")
    return value


def _read_list(document: JsonObject, name: str, optional: bool = False) -> list[Any]:
    """An array of tensors; where it is `optional` and left out, an empty one."""
    value = document.get(name)
    if value is None and optional:
        return []
    if not isinstance(value, list):
        raise InvalidRequest(f'"{name}" must be an array of tensors{_missing(document, name)}')
    if len(value) > MAX_TENSORS:
        raise InvalidRequest(f'"{name}" has {len(value)} tensors: no model has more than {MAX_TENSORS}')
    return value


def _read_name(document: JsonObject, member: str = "name") -> str:
    """A text of at most MAX_NAME characters."""
    value = document.get(member)
    if not isinstance(value, str):
        raise InvalidRequest(f'"{member}" must be a text{_missing(document, member)}')
    if len(value) > MAX_NAME:
        raise InvalidRequest(f'"{member}" has {len(value)} characters: none has more than {MAX_NAME}')
    return value


def _read_id(document: JsonObject) -> str | None:
    """The request's id, if it has one."""
    value = document.get("id")
    if value is not None and not isinstance(value, str):
        raise InvalidRequest('"id" must be a text')
    if value is not None and len(value) > MAX_ID:
        raise InvalidRequest(f'"id" has {len(value)} characters: send at most {MAX_ID}')
    return value


def _read_shape(document: JsonObject, name: str) -> tuple[int, ...]:
    """The shape of the input of this name."""
    shape = document.get("shape")
    if not isinstance(shape, list) or not all(_is_count(length) for length in shape):
        raise InvalidRequest(f'input {name!r}: "shape" must be an array of whole numbers that are not negative')
    if len(shape) > MAX_AXES:
        raise InvalidRequest(f"input {name!r} has {len(shape)} axes: an image tensor has four")
    return tuple(shape)


def _read_parameters(document: JsonObject, what: str) -> Parameters:
    """The parameters of the request, of an input or of an output."""
    given = document.get("parameters")
    parameters = _as_object({} if given is None else given, f"parameters of {what}")
    if len(parameters) > MAX_PARAMETERS:
        raise InvalidRequest(f"parameters of {what} are {len(parameters)}: at most {MAX_PARAMETERS} are read")
    for name, value in parameters.items():
        if name.startswith(RESERVED):
            raise InvalidRequest(f"parameter {name!r:.80} is reserved, as all in {RESERVED}… are: leave it out")
        if name == SHARED_MEMORY and value is not None:
            raise InvalidRequest("this server has no shared memory: send the tensor in the request")
    return parameters


def _read_boolean(members: JsonObject, name: str, default: bool) -> bool:
    """True or false; null is as good as absent."""
    value = members.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InvalidRequest(f'"{name}" must be true or false')
    return value


def _is_count(value: Any) -> bool:
    """Whether this is a whole number of at least 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _missing(document: JsonObject, name: str) -> str:
    return "" if name in document else ", and is missing"

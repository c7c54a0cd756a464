"""Requests of the protocol as values: the JSON checked member by member, with the binary tensors behind it."""

from dataclasses import dataclass
from typing import Any

from service.codecs.json_bodies import parse_json
from service.errors import InvalidRequest, Unsupported
from service.protocols.common import parse_count
from service.protocols.openinference.json_fields import (
    JsonObject,
    Parameters,
    as_object,
    is_count,
    read_boolean,
    read_id,
    read_list,
    read_name,
    read_parameters,
    read_shape,
)


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


def parse_request(content: bytes, header_length: int) -> InferRequest:
    """Read `header_length` bytes of JSON and the tensors' bytes behind them; raises InvalidRequest."""
    document = as_object(parse_json(content[:header_length]), "the request")
    parameters = read_parameters(document, "the request")
    binary = read_boolean(parameters, "binary_data_output", default=False)
    return InferRequest(
        id=read_id(document),
        inputs=_inputs(read_list(document, "inputs"), memoryview(content)[header_length:]),
        outputs=tuple(_output(each, binary) for each in read_list(document, "outputs", optional=True)),
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
    return read_boolean(_optional_object(content), "ready", default=False)


def check_load_request(content: bytes) -> None:
    """Raise InvalidRequest where the body of a load or unload is not an object, Unsupported where it brings a model."""
    parameters = as_object(_optional_object(content).get("parameters", {}), '"parameters"')
    brought = [name for name in parameters if name == "config" or name.startswith("file:")]
    if brought:
        raise Unsupported(
            f"leave out {brought[0]!r:.80}: models come from the repository only, so put the bundle there"
        )


def _inputs(documents: list[Any], blobs: memoryview) -> tuple[Tensor, ...]:
    """The inputs, each with its share of the bytes, in the order of the JSON."""
    tensors = []
    for document in documents:
        tensor, blobs = _input(as_object(document, "an input"), blobs)
        tensors.append(tensor)
    if blobs:
        raise InvalidRequest(f"{len(blobs)} bytes follow that no input's binary_data_size accounts for")
    return tuple(tensors)


def _input(document: JsonObject, blobs: memoryview) -> tuple[Tensor, memoryview]:
    name = read_name(document)
    parameters = read_parameters(document, f"input {name!r}")
    size, data = parameters.get("binary_data_size"), document.get("data")
    if (size is None) == (data is None):
        raise InvalidRequest(f'input {name!r} must have either "data" or the parameter binary_data_size')
    if size is not None and (not is_count(size) or int(size) > len(blobs)):
        raise InvalidRequest(f"input {name!r} claims binary_data_size {size!r:.80}, but {len(blobs)} bytes are there")
    binary = None if size is None else blobs[: int(size)]
    tensor = Tensor(name, read_name(document, "datatype"), read_shape(document, name), data, binary)
    return tensor, blobs if size is None else blobs[int(size) :]


def _output(value: Any, binary: bool) -> Output:
    document = as_object(value, "an output")
    name = read_name(document)
    parameters = read_parameters(document, f"output {name!r}")
    classes = parameters.get("classification")
    if classes is not None and (not is_count(classes) or int(classes) < 1):
        raise InvalidRequest(f"classification must be a whole number of at least 1, not {classes!r:.80}")
    wanted = read_boolean(parameters, "binary_data", default=binary)
    return Output(name, wanted, None if classes is None else int(classes))


def _timeout(parameters: Parameters) -> float | None:
    """The reserved parameter `timeout` is in microseconds; 0 means none."""
    timeout = parameters.get("timeout", 0)
    if not is_count(timeout):
        raise InvalidRequest(f"timeout must be a whole number of microseconds, not {timeout!r:.80}")
    return int(timeout) / 1e6 or None


def _optional_object(content: bytes) -> JsonObject:
    return as_object(parse_json(content), "the body") if content.strip() else {}

"""An ONNX file, read whole, with the tensors that are stored in other files beside it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import load_external_data_for_model, uses_external_data

from training.errors import InvalidModel

_LIMIT = 2**31 - 1  # bytes: what one protobuf message, and so one ONNX file, can hold


@dataclass(frozen=True)
class OnnxFile:
    """A decoded file. `content` goes into the bundle: the file's own bytes, unless it has external tensors."""

    path: Path
    sha256: str
    content: bytes
    model: onnx.ModelProto
    external: tuple[str, ...]

    def describe(self) -> dict[str, Any]:
        """The origin of the model, for the metadata."""
        return {
            "file": self.path.name,
            "sha256": self.sha256,
            **({"external_data": list(self.external)} if self.external else {}),
            "producer": f"{self.model.producer_name} {self.model.producer_version}".strip(),
            "ir_version": self.model.ir_version,
            "opsets": {each.domain or "ai.onnx": each.version for each in self.model.opset_import},
        }


def read_onnx(path: Path) -> OnnxFile:
    """Read and decode a file; raises OSError, or InvalidModel where it is no ONNX model that fits into one file."""
    _check_size(path.stat().st_size, path)
    content = path.read_bytes()
    model = _decode(content, path)
    external = _external_files(model)
    if external:
        _load_external(model, path)
    bundled = model.SerializeToString() if external else content
    return OnnxFile(path, hashlib.sha256(content).hexdigest(), bundled, model, external)


def _decode(content: bytes, path: Path) -> onnx.ModelProto:
    try:
        model = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise InvalidModel(f"{path} is not an ONNX file, or only part of one: export or copy it again") from error
    if not model.graph.node:
        raise InvalidModel(f"{path} holds no ONNX graph: export or copy it again")
    return model


def _external_files(model: onnx.ModelProto) -> tuple[str, ...]:
    places = [
        entry.value
        for tensor in model.graph.initializer
        if uses_external_data(tensor)
        for entry in tensor.external_data
        if entry.key == "location"
    ]
    return tuple(dict.fromkeys(places))


def _load_external(model: onnx.ModelProto, path: Path) -> None:
    """Load the files beside it; onnx itself refuses paths outside of the file's folder."""
    try:
        load_external_data_for_model(model, str(path.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise InvalidModel(
            f"{path} keeps its weights in other files, which cannot be read ({error}): put them beside it"
        ) from error
    _check_size(model.ByteSize(), path)


def _check_size(size: int, path: Path) -> None:
    if size > _LIMIT:
        raise InvalidModel(
            f"{path} is a model of {size:,} bytes, and a bundle's one file holds 2 GB: import a smaller one"
        )

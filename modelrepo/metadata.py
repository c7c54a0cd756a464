"""`metadata.json` as values: everything about a model that is not its graph and weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from modelrepo.fields import Fields, JsonObject
from modelrepo.naming import check_name

SCHEMA = 1

MODES = ("grayscale", "rgb")
FITS = ("stretch", "crop", "pad")
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "area")
ALPHAS = ("white", "black", "contrast")
DTYPES = ("uint8", "float32")
LAYOUTS = ("NHWC", "NCHW")
OUTPUT_KINDS = ("probabilities", "logits")
CHANNELS = {"grayscale": 1, "rgb": 3}


@dataclass(frozen=True)
class InputSpec:
    """The graph's one input. `batch` is None where the batch axis is free."""

    name: str
    dtype: str
    layout: str
    batch: int | None
    height: int
    width: int
    channels: int


@dataclass(frozen=True)
class Preprocessing:
    """How an image of any kind becomes what the graph takes.

    `fit` and `interpolation` bring it to the input's height and width; `alpha` names the colour that transparent pixels
    are laid on (`contrast`: white or black, whichever the visible pixels stand out from); `ink` asks for the
    handwriting rule of MNIST's authors. `scale`, `mean` and `std` (one number a channel) are applied in this
    order, (pixel × scale − mean) / std, and are None where the graph does its own scaling.
    """

    mode: str
    fit: str
    interpolation: str
    alpha: str
    exif_orientation: bool
    ink: bool
    scale: float | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


@dataclass(frozen=True)
class OutputSpec:
    """The graph's one output, [N, classes]; `kind` says whether softmax is still to be applied."""

    name: str
    dtype: str
    kind: str
    classes: int


@dataclass(frozen=True)
class Layer:
    """A row of the layer table. `None` in a shape is the free batch axis; multiply-adds are for one image."""

    name: str
    type: str
    output_shape: tuple[int | None, ...]
    parameters: int
    multiply_adds: int
    activation: str | None = None
    filters: int | None = None
    kernel_size: tuple[int | None, ...] | None = None
    pool_size: tuple[int | None, ...] | None = None
    strides: tuple[int | None, ...] | None = None
    padding: str | None = None


@dataclass(frozen=True)
class ParameterCounts:
    """Weights of the network, as `model.summary()` counts them."""

    total: int
    trainable: int
    non_trainable: int


@dataclass(frozen=True)
class FileRecord:
    """What a file of the bundle must be: its SHA-256 in hexadecimal and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Metadata:
    """One version of one model. `training`, `evaluation` and `parity` are records for people, shown as they are."""

    name: str
    version: int
    created: str
    description: str
    input: InputSpec
    preprocessing: Preprocessing
    output: OutputSpec
    labels: tuple[str, ...]
    layers: tuple[Layer, ...]
    parameters: ParameterCounts
    training: JsonObject
    evaluation: JsonObject
    parity: JsonObject
    files: Mapping[str, FileRecord]

    def to_json(self) -> dict[str, Any]:
        """The document, ready for `json.dumps`; members that are None are left out of layers and preprocessing."""
        document = {"schema": SCHEMA, **asdict(self)}
        document["layers"] = [_without_none(layer) for layer in document["layers"]]
        document["preprocessing"] = _without_none(document["preprocessing"])
        return document


def parse_metadata(document: Any) -> Metadata:
    """Read a decoded `metadata.json`; raises InvalidMetadata, which names the first field that is wrong."""
    fields = Fields(document)
    if fields.integer("schema", 1) != SCHEMA:
        raise fields.invalid("schema", f"this release reads schema {SCHEMA}; upgrade convserve or export again")
    metadata = Metadata(
        name=check_name(fields.text("name")),
        version=fields.integer("version", 1),
        created=fields.text("created"),
        description=fields.text("description"),
        input=_input(fields.inner("input")),
        preprocessing=_preprocessing(fields.inner("preprocessing")),
        output=_output(fields.inner("output")),
        labels=fields.texts("labels"),
        layers=tuple(_layer(Fields(row, f"layers[{i}]")) for i, row in enumerate(fields.items("layers"))),
        parameters=_parameters(fields.inner("parameters")),
        training=fields.record("training"),
        evaluation=fields.record("evaluation"),
        parity=fields.record("parity"),
        files=_files(fields.inner("files")),
    )
    _check_agreement(metadata, fields)
    return metadata


def _input(fields: Fields) -> InputSpec:
    return InputSpec(
        name=fields.text("name"),
        dtype=fields.choice("dtype", DTYPES),
        layout=fields.choice("layout", LAYOUTS),
        batch=fields.optional("batch", lambda name: fields.integer(name, 1)),
        height=fields.integer("height", 1),
        width=fields.integer("width", 1),
        channels=fields.integer("channels", 1),
    )


def _preprocessing(fields: Fields) -> Preprocessing:
    return Preprocessing(
        mode=fields.choice("mode", MODES),
        fit=fields.choice("fit", FITS),
        interpolation=fields.choice("interpolation", INTERPOLATIONS),
        alpha=fields.choice("alpha", ALPHAS),
        exif_orientation=fields.boolean("exif_orientation"),
        ink=fields.boolean("ink"),
        scale=fields.optional("scale", fields.number),
        mean=fields.optional("mean", fields.numbers),
        std=fields.optional("std", fields.numbers),
    )


def _output(fields: Fields) -> OutputSpec:
    return OutputSpec(
        name=fields.text("name"),
        dtype=fields.choice("dtype", ("float32",)),
        kind=fields.choice("kind", OUTPUT_KINDS),
        classes=fields.integer("classes", 1),
    )


def _layer(fields: Fields) -> Layer:
    return Layer(
        name=fields.text("name"),
        type=fields.text("type"),
        output_shape=fields.sizes("output_shape"),
        parameters=fields.integer("parameters", 0),
        multiply_adds=fields.integer("multiply_adds", 0),
        activation=fields.optional("activation", fields.text),
        filters=fields.optional("filters", lambda name: fields.integer(name, 1)),
        kernel_size=fields.optional("kernel_size", fields.sizes),
        pool_size=fields.optional("pool_size", fields.sizes),
        strides=fields.optional("strides", fields.sizes),
        padding=fields.optional("padding", fields.text),
    )


def _parameters(fields: Fields) -> ParameterCounts:
    return ParameterCounts(
        total=fields.integer("total", 0),
        trainable=fields.integer("trainable", 0),
        non_trainable=fields.integer("non_trainable", 0),
    )


def _files(fields: Fields) -> dict[str, FileRecord]:
    return {name: _file_record(name, fields) for name in fields.names()}


def _file_record(name: str, fields: Fields) -> FileRecord:
    if name.startswith("/") or ".." in name.split("/"):
        raise fields.invalid(name, "must be a path inside the bundle")
    record = fields.inner(name)
    return FileRecord(sha256=record.text("sha256"), size=record.integer("size", 0))


def _check_agreement(metadata: Metadata, fields: Fields) -> None:
    """What no field can tell alone: that they agree with one another."""
    if len(metadata.labels) != metadata.output.classes:
        raise fields.invalid("labels", f"has {len(metadata.labels)} labels for {metadata.output.classes} classes")
    if CHANNELS[metadata.preprocessing.mode] != metadata.input.channels:
        mode, channels = metadata.preprocessing.mode, metadata.input.channels
        raise fields.invalid("preprocessing.mode", f"{mode} does not give the input's {channels} channels")
    for name in ("mean", "std"):
        values = getattr(metadata.preprocessing, name)
        if values is not None and len(values) != metadata.input.channels:
            raise fields.invalid(f"preprocessing.{name}", f"must have {metadata.input.channels} numbers, one a channel")
    if metadata.preprocessing.std is not None and 0 in metadata.preprocessing.std:
        raise fields.invalid("preprocessing.std", "must not be 0")
    if "model.onnx" not in metadata.files:
        raise fields.invalid("files", "must name model.onnx")


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}

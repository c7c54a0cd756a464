"""`metadata.json` read strictly: a value that the contract does not allow is an error that names its field."""

from functools import partial
from typing import Any

from modelrepo.fields import Fields, Reader, at_least, or_none
from modelrepo.metadata import (
    ALPHAS,
    CHANNEL_ORDERS,
    CHANNELS,
    DTYPES,
    FITS,
    INTERPOLATIONS,
    LAYOUTS,
    MODES,
    OUTPUT_KINDS,
    SCHEMA,
    FileRecord,
    InputSpec,
    Layer,
    Metadata,
    OutputSpec,
    ParameterCounts,
    Preprocessing,
)
from modelrepo.naming import check_name

_LAYER: dict[str, Reader] = {
    "name": Fields.text,
    "type": Fields.text,
    "output_shape": Fields.sizes,
    "parameters": at_least(0),
    "multiply_adds": at_least(0),
    "activation": or_none(Fields.text),
    "filters": or_none(at_least(1)),
    "kernel_size": or_none(Fields.sizes),
    "pool_size": or_none(Fields.sizes),
    "strides": or_none(Fields.sizes),
    "padding": or_none(Fields.text),
}
_FILE_RECORD: dict[str, Reader] = {"sha256": Fields.text, "size": at_least(0)}


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
        layers=tuple(Layer(**row) for row in fields.rows("layers", _LAYER)),
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
        channel_order=fields.optional("channel_order", lambda name: fields.choice(name, CHANNEL_ORDERS)),
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
        abstain_below=fields.optional("abstain_below", partial(_threshold, fields)),
    )


def _threshold(fields: Fields, name: str) -> float:
    """A probability that something can be below."""
    value = fields.number(name)
    if not 0 < value <= 1:
        raise fields.invalid(name, f"must be above 0 and at most 1, not {value!r}: leave it out to answer always")
    return value


def _parameters(fields: Fields) -> ParameterCounts:
    return ParameterCounts(
        total=fields.integer("total", 0),
        trainable=fields.integer("trainable", 0),
        non_trainable=fields.integer("non_trainable", 0),
    )


def _files(fields: Fields) -> dict[str, FileRecord]:
    for name in fields.names():
        if name.startswith("/") or ".." in name.split("/"):
            raise fields.invalid(name, "must be a path inside the bundle")
    return {name: FileRecord(**record) for name, record in fields.objects(_FILE_RECORD).items()}


def _check_agreement(metadata: Metadata, fields: Fields) -> None:
    """What no field can tell alone: that they agree with one another."""
    if len(metadata.labels) != metadata.output.classes:
        raise fields.invalid("labels", f"has {len(metadata.labels)} labels for {metadata.output.classes} classes")
    if CHANNELS[metadata.preprocessing.mode] != metadata.input.channels:
        mode, channels = metadata.preprocessing.mode, metadata.input.channels
        raise fields.invalid("preprocessing.mode", f"{mode} does not give the input's {channels} channels")
    if metadata.preprocessing.channel_order is not None and metadata.preprocessing.mode != "rgb":
        raise fields.invalid("preprocessing.channel_order", "is for colour: leave it out where the mode is not rgb")
    for name in ("mean", "std"):
        values = getattr(metadata.preprocessing, name)
        if values is not None and len(values) != metadata.input.channels:
            raise fields.invalid(f"preprocessing.{name}", f"must have {metadata.input.channels} numbers, one a channel")
    if metadata.preprocessing.std is not None and 0 in metadata.preprocessing.std:
        raise fields.invalid("preprocessing.std", "must not be 0")
    if "model.onnx" not in metadata.files:
        raise fields.invalid("files", "must name model.onnx")

"""`metadata.json`: what a model is beside its graph and weights, and which values each field may have."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from modelrepo.errors import InvalidMetadata
from modelrepo.repository import MODEL, NAME_RULE, is_name
from modelrepo.strict_json import (
    JsonObject,
    any_object,
    array,
    boolean,
    choice,
    file_path,
    integer,
    json_object,
    mapping,
    member,
    number,
    record,
    short_text,
    shown,
    sizes,
    text,
)

SCHEMA = 1

MODES = ("grayscale", "rgb")
CHANNEL_ORDERS = ("rgb", "bgr")
FITS = ("stretch", "crop", "pad")
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "area")
ALPHAS = ("white", "black", "contrast")
DTYPES = ("uint8", "float32")
LAYOUTS = ("NHWC", "NCHW")
OUTPUT_DTYPES = ("float32",)
OUTPUT_KINDS = ("probabilities", "logits")
CHANNELS = {"grayscale": 1, "rgb": 3}
MAX_SIDE = 65_535  # of an axis of the input, as of JPEG files
MAX_LABEL = 1000  # characters: labels are in metrics, too


def _model_name(value: Any, path: str) -> str:
    name = text(value, path)
    if not is_name(name):
        raise InvalidMetadata(path, f"{shown(name)} {NAME_RULE}")
    return name


def _threshold(value: Any, path: str) -> float:
    """A probability that another one can be below."""
    threshold = number(value, path)
    if not 0 < threshold <= 1:
        raise InvalidMetadata(path, f"must be above 0 and at most 1, not {threshold!r}: leave it out to answer always")
    return threshold


@json_object
class InputSpec:
    """The graph's one input. `batch` is None where the batch axis is free."""

    name: str = member(text)
    dtype: str = member(choice(DTYPES))
    layout: str = member(choice(LAYOUTS))
    batch: int | None = member(integer(1, MAX_SIDE))
    height: int = member(integer(1, MAX_SIDE))
    width: int = member(integer(1, MAX_SIDE))
    channels: int = member(integer(1, MAX_SIDE))


@json_object
class Preprocessing:
    """How an image of any kind becomes what the graph takes.

    `fit` and `interpolation` bring it to the input's height and width; `alpha` names the colour that transparent pixels
    are laid on (`contrast`: white or black, whichever the visible pixels stand out from); `ink` asks for the
    handwriting rule of MNIST's authors. `channel_order` is how a graph of colour takes its channels, None for rgb;
    pixels that clients send are RGB whatever it is. `scale`, `mean` and `std` (one number a channel, in the graph's
    order) are applied in this order, (pixel × scale − mean) / std, and are None where the graph does its own scaling.
    """

    mode: str = member(choice(MODES))
    fit: str = member(choice(FITS))
    interpolation: str = member(choice(INTERPOLATIONS))
    alpha: str = member(choice(ALPHAS))
    exif_orientation: bool = member(boolean)
    ink: bool = member(boolean)
    channel_order: str | None = member(choice(CHANNEL_ORDERS), default=None)
    scale: float | None = member(number, default=None)
    mean: tuple[float, ...] | None = member(array(number), default=None)
    std: tuple[float, ...] | None = member(array(number), default=None)


@json_object
class OutputSpec:
    """The graph's output, [N, classes]; `kind` says whether softmax is still to be applied.

    The model abstains from an image whose largest probability is below `abstain_below` (0 < x ≤ 1). `outlier_output`
    names a second output, float32 [N], which is larger the less an image is like those of the training; the model
    abstains above `outlier_above`. Where these are None it never abstains.
    """

    name: str = member(text)
    dtype: str = member(choice(OUTPUT_DTYPES))
    kind: str = member(choice(OUTPUT_KINDS))
    classes: int = member(integer(1))
    abstain_below: float | None = member(_threshold, default=None)
    outlier_output: str | None = member(text, default=None)
    outlier_above: float | None = member(number, default=None)

    @property
    def abstains(self) -> bool:
        """Whether the model abstains from any image."""
        return self.abstain_below is not None or self.outlier_output is not None


@json_object
class Layer:
    """A row of the layer table. `None` in a shape is the free batch axis; multiply-adds are for one image."""

    name: str = member(text)
    type: str = member(text)
    output_shape: tuple[int | None, ...] = member(sizes)
    parameters: int = member(integer(0))
    multiply_adds: int = member(integer(0))
    activation: str | None = member(text, default=None)
    filters: int | None = member(integer(1), default=None)
    kernel_size: tuple[int | None, ...] | None = member(sizes, default=None)
    pool_size: tuple[int | None, ...] | None = member(sizes, default=None)
    strides: tuple[int | None, ...] | None = member(sizes, default=None)
    padding: str | None = member(text, default=None)


@json_object
class ParameterCounts:
    """Weights of the network, as `model.summary()` counts them."""

    total: int = member(integer(0))
    trainable: int = member(integer(0))
    non_trainable: int = member(integer(0))


@json_object
class FileRecord:
    """What a file of the bundle must be: its SHA-256 in hexadecimal and its size in bytes."""

    sha256: str = member(text)
    size: int = member(integer(0))


@json_object
class Metadata:
    """One version of one model. `training`, `evaluation` and `parity` are records for people, shown as they are."""

    name: str = member(_model_name)
    version: int = member(integer(1))
    created: str = member(text)
    description: str = member(text)
    input: InputSpec = member(record(InputSpec, {"batch": None}))
    preprocessing: Preprocessing = member(record(Preprocessing))
    output: OutputSpec = member(record(OutputSpec))
    labels: tuple[str, ...] = member(array(short_text(MAX_LABEL)))
    layers: tuple[Layer, ...] = member(array(record(Layer)))
    parameters: ParameterCounts = member(record(ParameterCounts))
    training: JsonObject = member(any_object)
    evaluation: JsonObject = member(any_object)
    parity: JsonObject = member(any_object)
    files: Mapping[str, FileRecord] = member(mapping(record(FileRecord), key=file_path))

    def to_json(self) -> dict[str, Any]:
        """The document, ready for `json.dumps`; None is left out of layers, preprocessing and output."""
        document = {"schema": SCHEMA, **asdict(self)}
        document["layers"] = [_without_none(layer) for layer in document["layers"]]
        document["preprocessing"] = _without_none(document["preprocessing"])
        document["output"] = _without_none(document["output"])
        return document


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


@json_object
class _Header:
    schema: int = member(integer(1))


_read_header = record(_Header)
_read_metadata = record(Metadata)


def parse_metadata(document: Any) -> Metadata:
    """Read `metadata.json` as `json.loads` gives it; raises InvalidMetadata for the first field that is wrong."""
    if _read_header(document, "").schema != SCHEMA:
        raise InvalidMetadata("schema", f"this release reads schema {SCHEMA}; upgrade convserve or export again")
    metadata = _read_metadata(document, "")
    _check_agreement(metadata)
    return metadata


def _check_agreement(metadata: Metadata) -> None:
    """Raise InvalidMetadata where fields that are right in themselves contradict one another."""
    preprocessing = metadata.preprocessing
    mode, channels = preprocessing.mode, metadata.input.channels
    if len(metadata.labels) != metadata.output.classes:
        raise InvalidMetadata("labels", f"has {len(metadata.labels)} labels for {metadata.output.classes} classes")
    _check_outlier_output(metadata.output)
    if CHANNELS[mode] != channels:
        raise InvalidMetadata("preprocessing.mode", f"{mode} does not give the input's {channels} channels")
    if preprocessing.channel_order is not None and mode != "rgb":
        raise InvalidMetadata("preprocessing.channel_order", "is for colour: leave it out where the mode is not rgb")
    for name, values in (("mean", preprocessing.mean), ("std", preprocessing.std)):
        if values is not None and len(values) != channels:
            raise InvalidMetadata(f"preprocessing.{name}", f"must have {channels} numbers, one a channel")
    if preprocessing.std is not None and 0 in preprocessing.std:
        raise InvalidMetadata("preprocessing.std", "must not be 0")
    if MODEL not in metadata.files:
        raise InvalidMetadata("files", f"must name {MODEL}")


def _check_outlier_output(output: OutputSpec) -> None:
    if output.outlier_output == output.name:
        raise InvalidMetadata("output.outlier_output", f"must be another output than {shown(output.name)}")
    if (output.outlier_output is None) != (output.outlier_above is None):
        raise InvalidMetadata("output.outlier_above", "belongs to outlier_output: give both, or leave both out")

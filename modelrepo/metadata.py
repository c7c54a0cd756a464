"""`metadata.json` as values: everything about a model that is not its graph and weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from modelrepo.fields import JsonObject

SCHEMA = 1

MODES = ("grayscale", "rgb")
CHANNEL_ORDERS = ("rgb", "bgr")
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
    handwriting rule of MNIST's authors. `channel_order` is how a graph of colour takes its channels, None for rgb;
    pixels that clients send are RGB whatever it is. `scale`, `mean` and `std` (one number a channel, in the graph's
    order) are applied in this order, (pixel × scale − mean) / std, and are None where the graph does its own scaling.
    """

    mode: str
    fit: str
    interpolation: str
    alpha: str
    exif_orientation: bool
    ink: bool
    channel_order: str | None = None
    scale: float | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


@dataclass(frozen=True)
class OutputSpec:
    """The graph's one output, [N, classes]; `kind` says whether softmax is still to be applied.

    Of an image whose largest probability is below `abstain_below` (0 < x ≤ 1) the model is not sure enough to answer;
    None where it always answers.
    """

    name: str
    dtype: str
    kind: str
    classes: int
    abstain_below: float | None = None


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
        """The document, ready for `json.dumps`; None is left out of layers, preprocessing and output."""
        document = {"schema": SCHEMA, **asdict(self)}
        document["layers"] = [_without_none(layer) for layer in document["layers"]]
        document["preprocessing"] = _without_none(document["preprocessing"])
        document["output"] = _without_none(document["output"])
        return document


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}

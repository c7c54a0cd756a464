"""The graph's input as images: layout, size, channels, batch and type, from its shape and from the options."""

from modelrepo.metadata import CHANNELS, DTYPES, InputSpec
from training.errors import InvalidModel
from training.onnx_import.options import COLORS, ImportOptions
from training.onnx_import.signature import DYNAMIC, ValueInfo

_DTYPES = {"float": "float32", "uint8": "uint8"}
_MAX_PIXELS = 1 << 22  # 2048 × 2048: eight drawn images and all values of the graph for two have to fit into memory
_MAX_BATCH_PIXELS = 1 << 24  # 256 images of 256 × 256

Axes = tuple[int | None, ...]


def describe_input(value: ValueInfo, options: ImportOptions) -> InputSpec:
    """The input spec; raises InvalidModel, with what to do, where the graph takes no images or an option is missing."""
    axes = _axes(value)
    layout = _layout(axes, options.layout)
    places = (2, 3, 1) if layout == "NCHW" else (1, 2, 3)
    height, width, channels = (axes[place] for place in places)
    height, width = _size((height, width), options.size)
    spec = InputSpec(
        name=value.name,
        dtype=_dtype(value),
        layout=layout,
        batch=_batch(axes[0], options.batch),
        height=height,
        width=width,
        channels=_channels(channels, options.color, value),
    )
    _check_pixels(spec)
    return spec


def _dtype(value: ValueInfo) -> str:
    if value.dtype not in _DTYPES:
        raise InvalidModel(
            f"the input {value} is neither of {' and '.join(DTYPES)}, which the service can feed: "
            "export the network with an input of float32"
        )
    return _DTYPES[value.dtype]


def _axes(value: ValueInfo) -> Axes:
    if value.shape is None or len(value.shape) != 4:
        raise InvalidModel(
            f"the input {value} is no batch of images, which has four axes, [N, channels, height, width] or "
            "[N, height, width, channels]: export the network with such an input"
        )
    return value.shape


def _layout(axes: Axes, chosen: str | None) -> str:
    possible = [layout for layout, axis in (("NCHW", 1), ("NHWC", 3)) if axes[axis] in CHANNELS.values()]
    if chosen is not None:
        return chosen
    if len(possible) == 1:
        return possible[0]
    shape = ", ".join(str(axis or "?") for axis in axes)
    raise InvalidModel(
        f"the input's shape [{shape}] does not tell where its channels, 1 or 3 of them, stand: "
        "give --layout NCHW or --layout NHWC"
    )


def _batch(length: int | None, chosen: int | None) -> int | None:
    if DYNAMIC not in (length, chosen) and length != chosen:
        raise InvalidModel(f"the graph takes batches of {length}, not of {chosen}: leave --batch out")
    return chosen or length


def _size(lengths: tuple[int | None, int | None], chosen: tuple[int, int] | None) -> tuple[int, int]:
    height, width = lengths
    if chosen is not None:
        if (height or chosen[0], width or chosen[1]) != chosen:
            raise InvalidModel(f"the graph takes images of {height or '?'}×{width or '?'}: leave --size out")
        return chosen
    if height is DYNAMIC or width is DYNAMIC:
        raise InvalidModel(
            "the graph takes images of any size, but a bundle has one: give --size HEIGHTxWIDTH, such as --size 224x224"
        )
    return height, width


def _check_pixels(spec: InputSpec) -> None:
    pixels = spec.height * spec.width
    if pixels > _MAX_PIXELS:
        raise InvalidModel(
            f"images of {spec.height}×{spec.width} are too large to be tried; {_MAX_PIXELS:,} pixels are the most: "
            "give a smaller --size, or export the network with a smaller input"
        )
    if spec.batch and spec.batch * pixels > _MAX_BATCH_PIXELS:
        raise InvalidModel(
            f"batches of {spec.batch} images of {spec.height}×{spec.width} are too large to be tried; "
            f"{_MAX_BATCH_PIXELS:,} pixels are the most: give a smaller --batch, or export the network with one"
        )


def _channels(length: int | None, color: str | None, value: ValueInfo) -> int:
    wanted = None if color is None else CHANNELS[COLORS[color]]
    if length is DYNAMIC and wanted is None:
        raise InvalidModel(f"the input {value} leaves the number of channels open: give --color grayscale, rgb or bgr")
    if length not in (DYNAMIC, *CHANNELS.values()):
        raise InvalidModel(f"the input {value} has {length} channels where images have 1 or 3: --layout may be wrong")
    if DYNAMIC not in (length, wanted) and length != wanted:
        raise InvalidModel(f"the graph takes {length} channels, and --color {color} gives {wanted}: leave --color out")
    return wanted or length or 0

"""The preprocessing contract of an imported model: usual ones by name (presets), of which options change parts."""

from dataclasses import replace

from modelrepo.metadata import CHANNELS, InputSpec, Preprocessing
from training.errors import InvalidModel
from training.onnx_import.options import COLORS, ImportOptions
from training.recipes import RECIPES

_PLAIN = Preprocessing(
    mode="rgb",
    fit="crop",  # most networks were trained on crops, and never on images with bars at the edges
    interpolation="bilinear",  # torchvision's default; like Pillow's it averages where it shrinks
    alpha="white",  # the usual background of cut-out images
    exif_orientation=True,  # photographs come from phones
    ink=False,
)
_UNIT = 1 / 255  # brings pixels to 0…1

PRESETS = {
    # Mean and standard deviation of ImageNet's training images in units of 0…1, as torchvision's networks expect them
    # (its documentation gives them with every network's weights).
    "imagenet": replace(_PLAIN, scale=_UNIT, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    "mnist": replace(RECIPES["mnist"].preprocessing, scale=_UNIT),
    "zero-one": replace(_PLAIN, scale=_UNIT),
}
_ANY_COLOR = ("zero-one",)
_NUMBERS = ("scale", "mean", "std")


def choose_preprocessing(options: ImportOptions, spec: InputSpec) -> Preprocessing:
    """The preset, changed by the other options; raises InvalidModel where these do not fit the graph's input."""
    _check_normalization(options, spec)
    mode, order = _color(options, spec)
    contract = replace(PRESETS.get(options.preset or "", _PLAIN), mode=mode, channel_order=order)
    if spec.dtype == "uint8":
        contract = replace(
            contract, scale=None, mean=None, std=None
        )  # it takes pixels as they are, whatever the preset
    parts = {name: getattr(options, name) for name in ("fit", "interpolation", "scale")}
    parts |= {name: _per_channel(name, getattr(options, name), spec.channels) for name in ("mean", "std")}
    return replace(contract, **{name: value for name, value in parts.items() if value is not None})


def _check_normalization(options: ImportOptions, spec: InputSpec) -> None:
    given = [f"--{name}" for name in _NUMBERS if getattr(options, name) is not None]
    if spec.dtype == "uint8" and given:
        raise InvalidModel(f"the graph takes pixels as they are, uint8, and scales them itself: leave {given[0]} out")
    if spec.dtype != "uint8" and options.preset is None and options.scale is None:
        raise InvalidModel(
            f"the graph takes float32 and does not say how pixels become numbers: give --preset {', '.join(PRESETS)}, "
            "or --scale (1/255, say, or 1 for 0 to 255 as they are) with --mean and --std where it needs them"
        )


def _color(options: ImportOptions, spec: InputSpec) -> tuple[str, str | None]:
    """The contract's mode and channel order."""
    mode = next(mode for mode, channels in CHANNELS.items() if channels == spec.channels)
    if options.preset not in (None, *_ANY_COLOR) and PRESETS[options.preset].mode != mode:
        raise InvalidModel(
            f"--preset {options.preset} is for {PRESETS[options.preset].mode} images, and the graph takes "
            f"{spec.channels} channels: give --preset zero-one, or --scale with --mean and --std"
        )
    bgr = options.color is not None and options.color != COLORS[options.color]
    return mode, options.color if bgr else None


def _per_channel(name: str, values: tuple[float, ...] | None, channels: int) -> tuple[float, ...] | None:
    if values is None:
        return None
    if len(values) not in (1, channels):
        raise InvalidModel(f"--{name} has {len(values)} numbers for {channels} channels: give one, or one a channel")
    if name == "std" and 0 in values:
        raise InvalidModel("--std has a 0, by which nothing can be divided: give the standard deviations")
    return values if len(values) == channels else values * channels

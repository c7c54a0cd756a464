"""An image file from anywhere, brought to the size and colours that a model takes."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from modelrepo.metadata import InputSpec, Preprocessing
from training.data.splits import Images
from training.errors import InvalidData

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
}
_MODES = {"grayscale": "L", "rgb": "RGB"}
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # what Pillow raises on damaged files


def read_image(path: Path, spec: InputSpec, rules: Preprocessing) -> Images:
    """Pixels as uint8 [height, width, channels]; an image of the model's size and colours keeps its own.

    The handwriting rule is the service's alone: models that ask for it get images of their size.
    Raises InvalidData.
    """
    size = (spec.width, spec.height)
    image = _open(path, rules)
    if image.size != size:
        if rules.ink:
            raise InvalidData(
                f"{path} has {image.width}×{image.height} pixels: this model's handwriting is prepared by the service, "
                f"so give an image of {spec.width}×{spec.height}, light on dark, such as golden/03.png of its bundle"
            )
        image = _resize(image, size, rules)
    return np.asarray(image).reshape(spec.height, spec.width, spec.channels)


def _open(path: Path, rules: Preprocessing) -> Image.Image:
    try:
        with Image.open(path) as stored:
            upright = ImageOps.exif_transpose(stored) if rules.exif_orientation else stored
            if upright.has_transparency_data:
                upright = _lay_on("black" if rules.alpha == "black" else "white", upright.convert("RGBA"))
            return upright.convert(_MODES[rules.mode])
    except _UNREADABLE as error:
        raise InvalidData(f"{path} is not an image that can be read ({error}): give another by --image") from error


def _lay_on(colour: str, image: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, colour), image)


def _resize(image: Image.Image, size: tuple[int, int], rules: Preprocessing) -> Image.Image:
    method = _FILTERS[rules.interpolation]
    if rules.fit == "crop":
        return ImageOps.fit(image, size, method)
    return ImageOps.pad(image, size, method) if rules.fit == "pad" else image.resize(size, method)

"""The command `experiments shapes`: output sizes by the formula, held against Keras and exported graphs."""

from argparse import Namespace
from collections.abc import Iterable, Sequence

from tqdm import tqdm

from training.recipes import RECIPES
from training.shapechecks import SETTINGS, Setting, Sides, check_shapes
from training.shapes import zeros_added
from training.texttable import align

_HEADS = ("kernel, stride, padding", "zeros added", "convolution", "pooling", "convolution", "pooling")


def shapes(options: Namespace, settings: Sequence[Setting] = SETTINGS) -> int:
    """Print the table; raises ShapesDiffer at the first setting in which the formula is not right."""
    image = RECIPES[options.recipe].dataset.shape
    shown: Iterable[Setting] = tqdm(settings, desc="shapes", unit=" networks", leave=False, disable=None)
    checked = [(setting, check_shapes(image, setting)) for setting in shown]
    print("\n".join(align([_HEADS, *(_row(image, setting, sides) for setting, sides in checked)])))
    print(f"\nFormula, Keras and exported graph agree in all {len(checked)} networks on {image[0]}×{image[1]} images.")
    return 0


def _row(image: tuple[int, int, int], setting: Setting, sides: Sides) -> Sequence[str]:
    """The zeros are those that the first convolution adds to the height, before and after."""
    before, after = zeros_added(image[0], setting.kernel, setting.strides, setting.padding)
    cells = [f"{height}×{width}" for height, width in sides] or ["nothing left", "", "", ""]
    return f"{setting.kernel}, {setting.strides}, {setting.padding}", f"{before} + {after}", *cells

"""The commands that show what there is, without TensorFlow: `recipes`, `mistakes`, `filters` and `costs`."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from modelrepo.metadata import Metadata
from modelrepo.reader import read_bundle
from preprocessing.errors import ImageError
from preprocessing.pipeline import prepare_file
from training.analysis.costs import Cost, draw_costs, measure_costs
from training.analysis.filters import read_first_convolution
from training.analysis.filters_plot import draw_filters
from training.analysis.mistakes import find_mistakes
from training.analysis.mistakes_page import MistakesPage
from training.cli.tables import align
from training.cli.types import positive
from training.data.splits import Images
from training.errors import InvalidData
from training.evaluation.onnx_inference import open_bundle
from training.evaluation.test_split import open_test_split
from training.files import write_whole
from training.plotting import as_png
from training.recipes import RECIPES

_COUNT = 48  # fills rows of 2, 3, 4, 6 and 8 images


def add_recipes(parser: ArgumentParser) -> None:
    """Give the parser of `recipes` its function; it takes no arguments."""
    parser.set_defaults(command=recipes)


def add_mistakes(parser: ArgumentParser) -> None:
    """Give the parser what `mistakes` needs."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's folder, such as models/mnist/1")
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="the data set in local files")
    parser.add_argument("--count", type=positive, default=_COUNT, help=f"how many are shown (default {_COUNT})")
    parser.add_argument("--out", type=Path, default=Path("mistakes.html"), metavar="FILE.html")
    parser.set_defaults(command=mistakes)


def add_filters(parser: ArgumentParser) -> None:
    """Give the parser what `filters` needs."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's folder, such as models/mnist/1")
    parser.add_argument("--image", type=Path, metavar="FILE", help="also draw the activation maps of this image")
    parser.add_argument("--out", type=Path, default=Path("filters.png"), metavar="FILE.png")
    parser.set_defaults(command=filters)


def add_costs(parser: ArgumentParser) -> None:
    """Give the parser what `costs` needs."""
    parser.add_argument(
        "bundles", type=Path, nargs="+", metavar="BUNDLE", help="the first is what others are measured by"
    )
    parser.add_argument("--out", type=Path, default=Path("costs.png"), metavar="FILE.png")
    parser.set_defaults(command=costs)


_HEADS = ("bundle", "accuracy", "95 % interval", "multiply-adds", "bytes", "ms an image", "times the first")


def mistakes(options: Namespace) -> int:
    """Write the page of the most confident mistakes on the test split."""
    bundle = read_bundle(options.bundle)
    with open_test_split(bundle, options.data) as test:
        found = find_mistakes(open_bundle(bundle)(test.split.images), test.split.labels)
        write_whole(options.out, MistakesPage(bundle.metadata, test.split, found, options.count).render())
    shown = min(options.count, len(found.ordered))
    print(f"Wrote {options.out}: {shown:,} of {len(found.ordered):,} mistakes on {found.examples:,} test images")
    return 0


def filters(options: Namespace) -> int:
    """Draw the filters of the first convolution, and an image's activation maps."""
    bundle = read_bundle(options.bundle)
    metadata = bundle.metadata
    image = None if options.image is None else _read_image(options.image, metadata)
    found = read_first_convolution(bundle, image)
    title = f"{metadata.name} version {metadata.version}: the first convolution"
    write_whole(options.out, as_png(draw_filters(title, found, metadata.preprocessing.channel_order, image)))
    count, channels, height, width = found.filters.shape
    print(f"Wrote {options.out}: {count} filters of {height}×{width}×{channels} of {found.name}")
    return 0


def _read_image(path: Path, metadata: Metadata) -> Images:
    try:
        return prepare_file(path.read_bytes(), metadata.input, metadata.preprocessing).pixels
    except (OSError, ImageError) as error:
        raise InvalidData(f"{path}: {error}; give another image by --image") from error


def costs(options: Namespace) -> int:
    """Time bundles side by side and draw what their accuracy costs."""
    found = measure_costs([read_bundle(path) for path in options.bundles])
    print("\n".join(align([_HEADS, *map(_row, found)])))
    write_whole(options.out, as_png(draw_costs("Accuracy and its price", found)))
    print(f"Wrote {options.out}")
    return 0


def _row(cost: Cost) -> tuple[str, ...]:
    low, high = cost.interval
    return (
        cost.label,
        f"{cost.accuracy:.2%}",
        f"{100 * low:.2f}–{high:.2%}",
        f"{cost.multiply_adds:,}",
        f"{cost.size:,}",
        f"{cost.milliseconds:.3f}",
        f"{cost.ratio:.2f}",
    )


def recipes(_: Namespace) -> int:
    """List the recipes."""
    for recipe in RECIPES.values():
        network = type(recipe.architecture).__name__.lower()
        print(f"{recipe.name:<16} {recipe.description}")
        print(
            f"{'':<16} {network} network, {recipe.epochs} epochs of batches of {recipe.batch_size}, SGD at "
            f"{recipe.learning_rate} with momentum {recipe.momentum}, seed {recipe.seed}"
        )
    return 0

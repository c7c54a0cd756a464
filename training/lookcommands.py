"""The commands that look at networks that have learned: `mistakes`, `filters`, `costs`. They need no TensorFlow."""

from argparse import Namespace

from modelrepo.reader import read_bundle
from training.costchart import draw_costs
from training.costs import Cost, measure_costs
from training.filterchart import draw_filters
from training.firstconvolution import look
from training.imagefit import read_image
from training.mistakes import find_mistakes
from training.mistakespage import MistakesPage
from training.runtime import open_bundle
from training.testsplits import opened_test
from training.texttable import align
from training.wholefile import write_whole

_HEADS = ("bundle", "accuracy", "95 % interval", "multiply-adds", "bytes", "ms an image", "times the first")


def mistakes(options: Namespace) -> int:
    """Write the page of the most confident mistakes on the test split."""
    bundle = read_bundle(options.bundle)
    with opened_test(bundle, options.data) as test:
        found = find_mistakes(open_bundle(bundle)(test.split.images), test.split.labels)
        write_whole(options.out, MistakesPage(bundle.metadata, test.split, found, options.count).render())
    shown = min(options.count, len(found.every))
    print(f"Wrote {options.out}: {shown:,} of {len(found.every):,} mistakes on {found.examples:,} test images")
    return 0


def filters(options: Namespace) -> int:
    """Draw the filters of the first convolution, and an image's activation maps."""
    bundle = read_bundle(options.bundle)
    metadata = bundle.metadata
    image = None if options.image is None else read_image(options.image, metadata.input, metadata.preprocessing)
    found = look(bundle, image)
    title = f"{metadata.name} version {metadata.version}: the first convolution"
    write_whole(options.out, draw_filters(title, found, metadata.preprocessing.channel_order, image))
    count, channels, height, width = found.filters.shape
    print(f"Wrote {options.out}: {count} filters of {height}×{width}×{channels} of {found.name}")
    return 0


def costs(options: Namespace) -> int:
    """Time bundles side by side and draw what their accuracy costs."""
    found = measure_costs([read_bundle(path) for path in options.bundles])
    print("\n".join(align([_HEADS, *map(_row, found)])))
    write_whole(options.out, draw_costs("Accuracy and its price", found))
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

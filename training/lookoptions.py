"""The options of `mistakes`, `filters` and `costs`, which look at networks that have learned."""

from argparse import ArgumentParser
from pathlib import Path

from training.arguments import positive

_COUNT = 48  # fills rows of 2, 3, 4, 6 and 8 images


def add_mistakes(parser: ArgumentParser) -> None:
    """Give the parser what `mistakes` needs."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's folder, such as models/mnist/1")
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="the data set in local files")
    parser.add_argument("--count", type=positive, default=_COUNT, help=f"how many are shown (default {_COUNT})")
    parser.add_argument("--out", type=Path, default=Path("mistakes.html"), metavar="FILE.html")
    parser.set_defaults(command="lookcommands:mistakes")


def add_filters(parser: ArgumentParser) -> None:
    """Give the parser what `filters` needs."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's folder, such as models/mnist/1")
    parser.add_argument("--image", type=Path, metavar="FILE", help="also draw the activation maps of this image")
    parser.add_argument("--out", type=Path, default=Path("filters.png"), metavar="FILE.png")
    parser.set_defaults(command="lookcommands:filters")


def add_costs(parser: ArgumentParser) -> None:
    """Give the parser what `costs` needs."""
    parser.add_argument(
        "bundles", type=Path, nargs="+", metavar="BUNDLE", help="the first is what others are measured by"
    )
    parser.add_argument("--out", type=Path, default=Path("costs.png"), metavar="FILE.png")
    parser.set_defaults(command="lookcommands:costs")

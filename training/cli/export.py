"""The command `export`: a saved Keras network becomes a bundle, in float32 or, by `--int8`, in eight-bit integers."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from training.cli.options import add_destination, add_pictures, opened_run, vary
from training.cli.report import report
from training.errors import InvalidChoice
from training.export.int8 import in_eight_bits
from training.export.publish import publish_network
from training.models.saving import load_network
from training.recipes import RECIPES


def add_export(parser: ArgumentParser) -> None:
    """Give the parser the arguments of `export`."""
    parser.add_argument("network", type=Path, metavar="FILE.keras")
    parser.add_argument("--recipe", choices=RECIPES, required=True, help="whose data set and preprocessing it takes")
    parser.add_argument("--seed", type=int, help="what it was trained with, so that what was held out is known")
    add_pictures(parser)
    parser.add_argument(
        "--int8", action="store_true", help="in eight-bit integers, where that is faster and as accurate"
    )
    add_destination(parser)
    parser.set_defaults(command=export)


def export(options: Namespace) -> int:
    """Publish a saved network."""
    if options.int8 and options.abstain:
        raise InvalidChoice("--abstain is for the float32 network's probabilities: leave it out with --int8")
    network = load_network(options.network)
    derive = in_eight_bits if options.int8 else None
    with opened_run(options, vary(options, options.recipe)) as run:
        report(publish_network(run, network, derive=derive))
    return 0

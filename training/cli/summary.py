"""The command `summary`: the table of layers of a bundle, or of the network that a recipe trains."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from modelrepo.reader import read_metadata
from modelrepo.table import layer_table
from training.cli.options import add_textbook, change_recipe
from training.engine.trainer import build_serving_model
from training.recipes import RECIPES


def add_summary(parser: ArgumentParser) -> None:
    """Give the parser the arguments of `summary`."""
    parser.add_argument("target", metavar="BUNDLE|RECIPE")
    add_textbook(parser)
    parser.set_defaults(command=summary)


def summary(options: Namespace) -> int:
    """Print the table of layers of a bundle or of a recipe's network."""
    if options.target in RECIPES:
        build_serving_model(change_recipe(options, options.target), options.target).summary()
    else:
        print(layer_table(read_metadata(Path(options.target))), end="")
    return 0

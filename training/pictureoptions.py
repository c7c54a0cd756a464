"""The options of recipes that take any folder of pictures."""

from argparse import ArgumentParser, BooleanOptionalAction
from pathlib import Path

from training.arguments import image_size


def add_pictures(parser: ArgumentParser) -> None:
    """Give the parser what a folder does not say of itself."""
    group = parser.add_argument_group("any folder of pictures (recipes folder and imagenet)")
    group.add_argument("--size", type=image_size, metavar="HEIGHTxWIDTH", help="another size than the recipe's")
    group.add_argument(
        "--labels", type=Path, metavar="FILE", help="`FOLDER NAME` a line, or names in the folders' order"
    )


def add_class_weights(parser: ArgumentParser) -> None:
    """Give the parser of a command that trains the choice to weigh classes."""
    parser.add_argument(
        "--class-weights", action=BooleanOptionalAction, help="weigh rare classes up, or never; by default where needed"
    )

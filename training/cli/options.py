"""Arguments that several commands share, and the recipe that they change. It needs no TensorFlow."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.cli.types import image_size, model_name, positive, probability
from training.errors import InvalidChoice, InvalidNetwork
from training.models.architectures import Textbook
from training.recipes import RECIPES, Recipe


def add_data(parser: ArgumentParser, more: str) -> None:
    """Give the parser `--data`."""
    parser.add_argument("--data", type=Path, metavar="PATH", help=f"the data set in local files{more}")


def add_models(parser: ArgumentParser) -> None:
    """Give the parser `--models`."""
    parser.add_argument("--models", type=Path, default=Path("models"), metavar="DIR", help="the model repository")


def add_image_folder(parser: ArgumentParser) -> None:
    """Give the parser what a folder of images does not say of itself."""
    group = parser.add_argument_group("any folder of images (recipes folder and imagenet)")
    group.add_argument("--size", type=image_size, metavar="HEIGHTxWIDTH", help="another size than the recipe's")
    group.add_argument(
        "--labels", type=Path, metavar="FILE", help="`FOLDER NAME` a line, or names in the folders' order"
    )


def add_textbook(parser: ArgumentParser) -> None:
    """Give the parser what changes the textbook's network."""
    parser.add_argument("--pooling", choices=("max", "average", "min"), help="another pooling than the recipe's")
    parser.add_argument("--strides", type=positive, help="other strides of the convolutions than the recipe's")
    parser.add_argument("--padding", choices=("same", "valid"), help="another padding of them than the recipe's")


def add_destination(parser: ArgumentParser) -> None:
    """Give the parser of a command that publishes its data set, its model repository and what is published."""
    add_data(parser, "; downloaded where this is missing")
    add_models(parser)
    parser.add_argument("--name", type=model_name, help="the model's name; the recipe's by default")
    parser.add_argument(
        "--abstain",
        type=probability,
        metavar="PRECISION",
        help="say where it is not sure, so that this share of its other answers is right: 0.99, say",
    )


def choose_recipe(options: Namespace) -> str:
    """The recipe that is named, else the one for any folder."""
    if options.recipe is None and (options.data is None or options.name is None):
        raise InvalidChoice(
            f"name a recipe ({', '.join(RECIPES)}), or a folder of pictures and what to call the model: "
            "train --data FOLDER --name NAME"
        )
    return options.recipe or "folder"


def change_recipe(options: Namespace, name: str) -> Recipe:
    """The recipe with what the command line changes about it; raises InvalidNetwork where it has no such thing."""
    recipe = RECIPES[name]
    shape = _given(options, "pooling", "strides", "padding")
    if shape and not isinstance(recipe.architecture, Textbook):
        raise InvalidNetwork(f"--{' and --'.join(shape)} change the textbook's network, and {name} has another")
    architecture = replace(recipe.architecture, **shape)
    weights = {None: recipe.class_weight_threshold, True: 1.0, False: 0.0}[getattr(options, "class_weights", None)]
    return replace(
        recipe,
        architecture=architecture,
        class_weight_threshold=weights,
        **_given(options, "seed", "epochs", "learning_rate", "precision"),
    )


def _given(options: Namespace, *names: str) -> dict[str, Any]:
    """Those options that were given."""
    values = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in values.items() if value is not None}

"""The options that `train`, `export`, `summary` and `experiments` share, and how they become a recipe and a run."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelrepo.repository import ModelRepository
from training.cli.datasets import load_dataset
from training.cli.types import add_data, add_models, image_size, model_name, positive, probability
from training.environment import portable_command
from training.errors import InvalidChoice, InvalidNetwork
from training.models.architectures import Textbook
from training.recipes import RECIPES, Recipe
from training.run import Run

_NAMED = 10  # classes in a description that people read on one line


def add_pictures(parser: ArgumentParser) -> None:
    """Give the parser what a folder does not say of itself."""
    group = parser.add_argument_group("any folder of pictures (recipes folder and imagenet)")
    group.add_argument("--size", type=image_size, metavar="HEIGHTxWIDTH", help="another size than the recipe's")
    group.add_argument(
        "--labels", type=Path, metavar="FILE", help="`FOLDER NAME` a line, or names in the folders' order"
    )


def add_network(parser: ArgumentParser) -> None:
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


def vary(options: Namespace, name: str) -> Recipe:
    """The recipe with what the command line changes about it; raises InvalidNetwork where it has no such thing."""
    recipe = RECIPES[name]
    shape = _given(options, "pooling", "strides", "padding")
    if shape and not isinstance(recipe.architecture, Textbook):
        raise InvalidNetwork(f"--{' and --'.join(shape)} change the textbook's network, and {name} has another")
    architecture = replace(recipe.architecture, **shape)
    weights = {None: recipe.balance, True: 1.0, False: 0.0}[getattr(options, "class_weights", None)]
    return replace(recipe, architecture=architecture, balance=weights, **_given(options, "seed", "epochs", "precision"))


@contextmanager
def opened_run(options: Namespace, recipe: Recipe) -> Iterator[Run]:
    """The run, as long as its data set can be read."""
    with ExitStack() as stack:
        dataset = load_dataset(options, recipe, stack)
        yield Run(
            recipe=_describe(replace(recipe, dataset=dataset.spec)),
            dataset=dataset,
            repository=ModelRepository(options.models),
            name=options.name or recipe.model or recipe.name,
            command=portable_command(options.arguments),
            verbose=verbosity(),
            abstain_for=options.abstain,
        )


def _describe(recipe: Recipe) -> Recipe:
    """The recipe for a folder, with what the folder holds as what the model is for."""
    if not recipe.any_folder:
        return recipe
    labels = recipe.dataset.class_names
    more = f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else ""
    return replace(recipe, description=f"{len(labels):,} classes: {', '.join(labels[:_NAMED])}{more}")


def _given(options: Namespace, *names: str) -> dict[str, Any]:
    """Those options that were given."""
    values = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def verbosity() -> int:
    """Keras's progress bar for people, one line an epoch for logs."""
    return 1 if sys.stdout.isatty() else 2

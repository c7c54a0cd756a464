"""The options of `experiments`."""

from argparse import ArgumentParser
from pathlib import Path

from training.arguments import positive
from training.experiments import EXPERIMENTS, Experiment
from training.recipes import RECIPES


def add_experiments(parser: ArgumentParser) -> None:
    """Give the parser a command for every experiment."""
    names = parser.add_subparsers(dest="experiment", required=True, metavar="EXPERIMENT")
    for experiment in EXPERIMENTS.values():
        _add_experiment(names.add_parser(experiment.name, help=f"train and compare: {experiment.subject}"), experiment)
    _add_shapes(names.add_parser("shapes", help="hold the formula for output sizes against Keras and exported graphs"))


def _add_experiment(parser: ArgumentParser, experiment: Experiment) -> None:
    parser.add_argument("--data", type=Path, metavar="PATH", help="the data set in local files; else downloaded")
    parser.add_argument(
        "--out", type=Path, default=Path("experiments"), metavar="DIR", help="where picture and figures are written"
    )
    _add_recipe(parser, "which recipe the variants are trained by", experiment.recipe)
    parser.add_argument("--epochs", type=positive, help="another number of epochs than the recipe's")
    parser.add_argument("--seed", type=int, help="another seed than the recipe's; all variants start from the same")
    parser.set_defaults(command="experimentcommand:compare")


def _add_shapes(parser: ArgumentParser) -> None:
    _add_recipe(parser, "whose images the sizes are those of", "mnist")
    parser.set_defaults(command="shapecommand:shapes")


def _add_recipe(parser: ArgumentParser, text: str, default: str) -> None:
    known = [name for name, recipe in RECIPES.items() if not recipe.any_folder]
    parser.add_argument("--recipe", choices=known, default=default, help=f"{text} (default {default})")

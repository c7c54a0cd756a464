"""The command line's words. What they do is in `…command(s)`; for TensorFlow, in `kerascommands`."""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from modelrepo.errors import RepositoryError
from training.arguments import model_name, positive, probability
from training.datasets import SPECS
from training.errors import TrainingError
from training.experimentoptions import add_experiments
from training.importoptions import add_import
from training.lookoptions import add_costs, add_filters, add_mistakes
from training.nativelog import native_log_silenced
from training.pictureoptions import add_class_weights, add_pictures
from training.recipes import RECIPES
from training.trainoptions import add_learning

Command = Callable[[argparse.Namespace], int]

_DESCRIPTION = "Train a small image classifier, prove that its exported graph is right, publish it for serving."
_INTERRUPTED = 130  # what shells give for a process that Ctrl-C ended


def main(arguments: Sequence[str], cluster: str | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 failed with one sentence, 130 interrupted.

    `cluster` is what TF_CONFIG says.
    """
    options = make_parser().parse_args(arguments)
    options.arguments, options.cluster = list(arguments), cluster
    try:
        return _find(options.command)(options)
    except KeyboardInterrupt:
        print("\nInterrupted: nothing is left half written.", file=sys.stderr)
        return _INTERRUPTED
    except (TrainingError, RepositoryError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def make_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(prog="python -m training", description=_DESCRIPTION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    recipes = commands.add_parser("recipes", help="list the recipes")
    recipes.set_defaults(command="commands:recipes")
    _add_train(commands.add_parser("train", help="train a network by a recipe, verify it and publish it"))
    _add_view(commands.add_parser("view", help="write a grid of a data set's images"))
    _add_export(commands.add_parser("export", help="evaluate, verify and publish a saved Keras network"))
    add_import(commands.add_parser("import", help="verify and publish an ONNX file that was trained elsewhere"))
    _add_verify(commands.add_parser("verify", help="prove that a bundle or a running service answers as Keras did"))
    _add_summary(commands.add_parser("summary", help="print the table of layers"))
    _add_evaluate(commands.add_parser("evaluate", help="post a whole test split to a running service"))
    add_experiments(commands.add_parser("experiments", help="compare networks that differ in one thing, in a picture"))
    add_mistakes(commands.add_parser("mistakes", help="write a page of what a model is most confidently wrong about"))
    add_filters(commands.add_parser("filters", help="draw the filters of a model's first convolution"))
    add_costs(commands.add_parser("costs", help="time bundles side by side and draw what their accuracy costs"))
    return parser


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", choices=RECIPES, nargs="?", help="folder where only --data and --name are given")
    parser.add_argument("--seed", type=int, help="another seed than the recipe's")
    parser.add_argument("--epochs", type=positive, help="another number of epochs than the recipe's")
    _add_network(parser)
    add_pictures(parser)
    add_class_weights(parser)
    parser.add_argument("--save", type=Path, metavar="FILE.keras", help="keep the Keras network, too")
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="keep the run's state here, go on from it if killed"
    )
    _add_destination(parser)
    add_learning(parser)
    parser.set_defaults(command="kerascommands:train_recipe")


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pooling", choices=("max", "average", "min"), help="another pooling than the recipe's")
    parser.add_argument("--strides", type=positive, help="other strides of the convolutions than the recipe's")
    parser.add_argument("--padding", choices=("same", "valid"), help="another padding of them than the recipe's")


def _add_view(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", metavar=f"{{{','.join(SPECS)}}}|FOLDER")
    _add_data(parser, "; downloaded where this is missing")
    parser.add_argument("--out", type=Path, default=Path("grid.png"), metavar="FILE.png")
    parser.set_defaults(command="kerascommands:view")


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", type=Path, metavar="FILE.keras")
    parser.add_argument("--recipe", choices=RECIPES, required=True, help="whose data set and preprocessing it takes")
    parser.add_argument("--seed", type=int, help="what it was trained with, so that what was held out is known")
    add_pictures(parser)
    parser.add_argument(
        "--int8", action="store_true", help="in eight-bit integers, where that is faster and as accurate"
    )
    _add_destination(parser)
    parser.set_defaults(command="kerascommands:export")


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="BUNDLE|URL", help="a bundle's folder, or where a service answers")
    _add_data(parser, ": check a bundle's label for every test image, too")
    _add_models(parser)
    parser.set_defaults(command="commands:verify")


def _add_summary(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="BUNDLE|RECIPE")
    _add_network(parser)
    parser.set_defaults(command="kerascommands:summary")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="where the service answers, such as http://localhost:8000")
    parser.add_argument("--model", required=True, help="the model's name")
    parser.add_argument("--version", type=positive, help="its version; the newest in --models by default")
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="the data set in local files")
    parser.add_argument("--connections", type=positive, default=8, help="kept open at the same time (default 8)")
    _add_models(parser)
    parser.set_defaults(command="commands:evaluate")


def _add_destination(parser: argparse.ArgumentParser) -> None:
    _add_data(parser, "; downloaded where this is missing")
    _add_models(parser)
    parser.add_argument("--name", type=model_name, help="the model's name; the recipe's by default")
    parser.add_argument(
        "--abstain",
        type=probability,
        metavar="PRECISION",
        help="say where it is not sure, so that this share of its other answers is right: 0.99, say",
    )


def _add_data(parser: argparse.ArgumentParser, more: str) -> None:
    parser.add_argument("--data", type=Path, metavar="PATH", help=f"the data set in local files{more}")


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", type=Path, default=Path("models"), metavar="DIR", help="the model repository")


def _find(name: str) -> Command:
    """The function behind a command, loaded only now: TensorFlow takes seconds, and half of the commands do without."""
    module, _, function = name.partition(":")
    with native_log_silenced():
        command: Command = getattr(importlib.import_module(f"training.{module}"), function)
    return command

"""The command line: all commands. Only the one that is asked for is loaded, because TensorFlow takes seconds."""

import argparse
import importlib
import sys
from collections.abc import Callable, Collection, Sequence

from modelrepo.errors import RepositoryError
from training.errors import TrainingError
from training.native_log import native_log_silenced

Command = Callable[[argparse.Namespace], int]

_DESCRIPTION = "Train a small image classifier, prove that its exported graph is right, publish it for serving."
_INTERRUPTED = 130  # what shells give for a process that Ctrl-C ended

# Command → the module and function that give its parser the arguments and the function to run, and the help.
COMMANDS = {
    "recipes": ("inspect:add_recipes", "list the recipes"),
    "train": ("train:add_train", "train a network by a recipe, verify it and publish it"),
    "preview": ("datasets:add_preview", "write a grid of a data set's images"),
    "export": ("export:add_export", "evaluate, verify and publish a saved Keras network"),
    "import": ("import_onnx:add_import", "verify and publish an ONNX file that was trained elsewhere"),
    "fit-abstention": ("abstention:add_fit_abstention", "give a bundle an outlier score, so that it abstains"),
    "verify": ("verify:add_verify", "compare a bundle or a running service with the recorded results"),
    "summary": ("summary:add_summary", "print the table of layers"),
    "evaluate": ("verify:add_evaluate", "the older name of `verify URL --data`"),
    "experiments": ("experiments:add_experiments", "compare networks that differ in one setting, in a plot"),
    "mistakes": ("inspect:add_mistakes", "write a page of what a model is most confidently wrong about"),
    "filters": ("inspect:add_filters", "draw the filters of a model's first convolution"),
    "costs": ("inspect:add_costs", "time bundles side by side and draw what their accuracy costs"),
}
ALIASES = {"preview": ["view"]}  # older names


def main(arguments: Sequence[str], cluster: str | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 failed with one sentence, 130 interrupted.

    `cluster` is what TF_CONFIG says.
    """
    try:
        options = make_parser(arguments[:1]).parse_args(arguments)
        options.arguments, options.cluster = list(arguments), cluster
        command: Command = options.command
        return command(options)
    except KeyboardInterrupt:
        print("\nInterrupted: nothing is left half written.", file=sys.stderr)
        return _INTERRUPTED
    except (TrainingError, RepositoryError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def make_parser(chosen: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """The parser of all commands, with the arguments of those that are chosen."""
    parser = argparse.ArgumentParser(prog="python -m training", description=_DESCRIPTION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (place, text) in COMMANDS.items():
        aliases = ALIASES.get(name, [])
        command = commands.add_parser(name, aliases=aliases, help=text)
        if not {name, *aliases}.isdisjoint(chosen):
            _load(place)(command)
    return parser


def _load(place: str) -> Callable[[argparse.ArgumentParser], None]:
    module, _, function = place.partition(":")
    with native_log_silenced():
        add_arguments: Callable[[argparse.ArgumentParser], None] = getattr(
            importlib.import_module(f"training.cli.{module}"), function
        )
    return add_arguments

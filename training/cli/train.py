"""The command `train`: a recipe's network is trained, verified and published."""

from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from pathlib import Path

from training.cli.datasets import open_run
from training.cli.export import print_bundle
from training.cli.options import add_destination, add_image_folder, add_textbook, change_recipe, choose_recipe
from training.cli.types import positive, positive_number
from training.data.splits import split_validation
from training.engine.distributed.cluster import read_cluster
from training.engine.distributed.multi_worker import MultiWorker
from training.engine.distributed.strategy import Distribution, all_gpus
from training.engine.fine_tuning import load_pretrained
from training.errors import InvalidChoice, InvalidCluster, InvalidNetwork
from training.models.saving import SUFFIX
from training.recipes import RECIPES
from training.train import TrainOptions, fit_model, train

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
DEVICES = ("one", "all")


def add_train(parser: ArgumentParser) -> None:
    """Give the parser the arguments of `train`."""
    parser.add_argument("recipe", choices=RECIPES, nargs="?", help="folder where only --data and --name are given")
    parser.add_argument("--seed", type=int, help="another seed than the recipe's")
    parser.add_argument("--epochs", type=positive, help="another number of epochs than the recipe's")
    parser.add_argument("--learning-rate", type=positive_number, help="another (highest) rate than the recipe's")
    add_textbook(parser)
    add_image_folder(parser)
    parser.add_argument(
        "--class-weights",
        action=BooleanOptionalAction,
        help="give rare classes larger weights, or never; by default where needed",
    )
    parser.add_argument("--save", type=Path, metavar="FILE.keras", help="also write the Keras network to a file")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="write the run's state after each epoch, to go on from it if killed",
    )
    add_destination(parser)
    _add_start(parser)
    _add_place(parser)
    parser.add_argument(
        "--tensorboard", type=Path, metavar="FOLDER", help="write loss, accuracy and learning rate for TensorBoard here"
    )
    parser.set_defaults(command=train_recipe)


def _add_start(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("an earlier network")
    group.add_argument(
        "--from",
        type=Path,
        dest="start",
        metavar="BUNDLE|FILE.keras",
        help="start from its weights, not from random ones",
    )
    group.add_argument("--freeze", action="store_true", help="train only the last layer; with --from")


def _add_place(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("where and how it computes; TF_CONFIG makes several processes train together")
    group.add_argument("--devices", choices=DEVICES, default="one", help="all: every GPU of this machine (default one)")
    group.add_argument("--precision", choices=PRECISIONS, help="another than the recipe's")


def train_recipe(options: Namespace) -> int:
    """Train by a recipe and publish."""
    recipe = change_recipe(options, choose_recipe(options))
    check_paths(options)
    train_options = TrainOptions(
        distribution=choose_distribution(options),
        start=None if options.start is None else load_pretrained(options.start, recipe.architecture),
        freeze=options.freeze,
        tensorboard=options.tensorboard,
        save=options.save,
        checkpoint=options.checkpoint,
    )
    with open_run(options, recipe) as run:
        if train_options.distribution.chief:
            print_bundle(train(run, train_options))
        else:
            fit_model(run, *split_validation(run.dataset, recipe.validation_split, recipe.seed), train_options)
    return 0


def check_paths(options: Namespace) -> None:
    """Raise InvalidChoice for what would else fail only after hours of training."""
    if options.save is not None and options.save.suffix != SUFFIX:
        raise InvalidChoice(f"--save writes Keras's own format: call the file {options.save.with_suffix(SUFFIX)}")
    for path in (options.save, options.checkpoint):
        if path is not None and not path.absolute().parent.is_dir():
            raise InvalidChoice(f"{path.parent} is no folder: make it first")
    if options.abstain and not (options.save or options.checkpoint):
        raise InvalidChoice(
            "a network may turn out not to reach the precision of --abstain, and is then not published: "
            "add --save FILE.keras or --checkpoint FILE, so that it is not lost"
        )


def choose_distribution(options: Namespace) -> Distribution:
    """Where the network is to be trained; raises InvalidCluster or WorkerLost."""
    if options.freeze and options.start is None:
        raise InvalidNetwork("--freeze needs --from: random weights must be trained")
    cluster = read_cluster(options.cluster) if options.cluster else None
    if cluster is None:
        return all_gpus() if options.devices == "all" else Distribution()
    if options.devices == "all":
        raise InvalidCluster("TF_CONFIG and --devices all exclude each other: start one process for each GPU")
    if options.precision == "mixed_float16":
        raise InvalidCluster("processes that train together cannot scale the loss: take --precision mixed_bfloat16")
    return MultiWorker(cluster)

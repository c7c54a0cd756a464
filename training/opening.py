"""From a command line's options to a run: its recipe, its data set, and where it is trained."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelrepo.repository import ModelRepository
from training.architectures import Textbook
from training.cluster import read_cluster
from training.datasets import SPECS, Dataset
from training.distribution import Distribution, all_gpus
from training.download import obtain
from training.environment import portable_command
from training.errors import InvalidChoice, InvalidCluster, InvalidNetwork
from training.foldercommands import load_pictures, refuse_picture_options
from training.recipes import RECIPES, Recipe
from training.run import Run
from training.saving import SUFFIX
from training.unpacking import unpacked
from training.workers import Workers

_NAMED = 10  # classes in a description that people read on one line


def check_places(options: Namespace) -> None:
    """Raise InvalidChoice before hours of training for what would only come out after them."""
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


def distribute(options: Namespace) -> Distribution:
    """Where the network is to be trained; raises InvalidCluster or WorkerLost."""
    if options.freeze and options.start is None:
        raise InvalidNetwork("--freeze needs --from: what was drawn at random must learn")
    cluster = read_cluster(options.cluster)
    if cluster is None:
        return all_gpus() if options.devices == "all" else Distribution()
    if options.devices == "all":
        raise InvalidCluster("TF_CONFIG and --devices all exclude each other: start one process for each GPU")
    if options.precision == "mixed_float16":
        raise InvalidCluster("processes that train together cannot scale the loss: take --precision mixed_bfloat16")
    return Workers(cluster)


@contextmanager
def opened_run(options: Namespace, recipe: Recipe) -> Iterator[Run]:
    """The run, as long as its data set can be read."""
    with ExitStack() as stack:
        dataset = _load(options, recipe, stack)
        yield Run(
            recipe=_describe(replace(recipe, dataset=dataset.spec)),
            dataset=dataset,
            repository=ModelRepository(options.models),
            name=options.name or recipe.model or recipe.name,
            command=portable_command(options.arguments),
            verbose=verbosity(),
            abstain_for=options.abstain,
        )


@contextmanager
def opened_pictures(options: Namespace) -> Iterator[Dataset]:
    """What `view` shows, as long as it can be read: a data set by its name, or a folder."""
    with ExitStack() as stack:
        if options.dataset in SPECS:
            yield obtain(SPECS[options.dataset], options.data)
        else:
            folder = stack.enter_context(unpacked(Path(options.dataset)))
            yield load_pictures(options, RECIPES["folder"], folder)


def _load(options: Namespace, recipe: Recipe, stack: ExitStack) -> Dataset:
    if recipe.any_folder:
        if options.data is None:
            raise InvalidChoice(f"{recipe.name} takes a folder of pictures: give it by --data FOLDER")
        return load_pictures(options, recipe, stack.enter_context(unpacked(options.data)))
    refuse_picture_options(options, recipe)
    return obtain(recipe.dataset, options.data)


def _describe(recipe: Recipe) -> Recipe:
    """The recipe for a folder, with what the folder holds as what the model is for."""
    if not recipe.any_folder:
        return recipe
    labels = recipe.dataset.labels
    more = f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else ""
    return replace(recipe, description=f"{len(labels):,} classes: {', '.join(labels[:_NAMED])}{more}")


def _given(options: Namespace, *names: str) -> dict[str, Any]:
    """Those options that were given."""
    values = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def verbosity() -> int:
    """Keras's progress bar for people, one line an epoch for logs."""
    return 1 if sys.stdout.isatty() else 2

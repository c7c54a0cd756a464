"""The commands that need Keras: train, export, view and summary."""

import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelrepo.reader import read_metadata
from modelrepo.repository import ModelRepository
from modelrepo.table import layer_table
from training.architectures import Textbook
from training.charts import draw_grid
from training.cluster import read_cluster
from training.course import Course
from training.datasets import SPECS, Dataset, DatasetSpec
from training.distribution import Distribution, all_gpus
from training.download import download
from training.environment import portable_command
from training.errors import InvalidCluster, InvalidNetwork
from training.recipes import RECIPES, Recipe
from training.run import Run, assist, build_network, publish_network, train
from training.saving import load_network
from training.sources import read_dataset
from training.starting import read_start
from training.workers import Workers


def train_recipe(options: Namespace) -> int:
    """Train by a recipe and publish."""
    recipe = _vary(options, options.recipe)
    course = Course(
        distribution=_distribute(options),
        start=None if options.start is None else read_start(options.start, recipe.architecture),
        freeze=options.freeze,
        tensorboard=options.tensorboard,
    )
    run = _make_run(options, recipe)
    if course.distribution.chief:
        return _report(train(run, options.save, options.checkpoint, course))
    assist(run, course)
    return 0


def export(options: Namespace) -> int:
    """Publish a saved network."""
    network = load_network(options.network)
    return _report(publish_network(_make_run(options, RECIPES[options.recipe]), network))


def view(options: Namespace) -> int:
    """Write the grid of images."""
    dataset = _load(SPECS[options.dataset], options.data)
    options.out.write_bytes(draw_grid(dataset))
    print(f"Wrote {options.out}: {len(dataset.train):,} training and {len(dataset.test):,} test images")
    return 0


def summary(options: Namespace) -> int:
    """Print the table of layers of a bundle or of a recipe's network."""
    if options.target in RECIPES:
        build_network(_vary(options, options.target), options.target).summary()
    else:
        print(layer_table(read_metadata(Path(options.target))), end="")
    return 0


def _make_run(options: Namespace, recipe: Recipe) -> Run:
    return Run(
        recipe=recipe,
        dataset=_load(recipe.dataset, options.data),
        repository=ModelRepository(options.models),
        name=options.name or recipe.model or recipe.name,
        command=portable_command(options.arguments),
        verbose=_verbosity(),
    )


def _vary(options: Namespace, name: str) -> Recipe:
    """The recipe with what the command line changes about it; raises InvalidNetwork where it has no such thing."""
    recipe = RECIPES[name]
    shape = _given(options, "pooling", "strides", "padding")
    if shape and not isinstance(recipe.architecture, Textbook):
        raise InvalidNetwork(f"--{' and --'.join(shape)} change the textbook's network, and {name} has another")
    architecture = replace(recipe.architecture, **shape)
    return replace(recipe, architecture=architecture, **_given(options, "seed", "epochs", "precision"))


def _distribute(options: Namespace) -> Distribution:
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


def _given(options: Namespace, *names: str) -> dict[str, Any]:
    """Those options that were given."""
    values = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _load(spec: DatasetSpec, path: Path | None) -> Dataset:
    return download(spec) if path is None else read_dataset(spec, path)


def _verbosity() -> int:
    """Keras's progress bar for people, one line an epoch for logs."""
    return 1 if sys.stdout.isatty() else 2


def _report(folder: Path) -> int:
    metadata = read_metadata(folder)
    print(f"Published {metadata.name} version {metadata.version} in {folder}")
    print(f"  test accuracy  {metadata.evaluation['accuracy']:.2%} of {metadata.evaluation['examples']:,} images")
    print(f"  test loss      {metadata.evaluation['loss']:.4f}")
    print(f"  parity         {metadata.parity['largest_difference']:.1e} over {metadata.parity['images']:,} images")
    return 0

"""The commands that need Keras: train, export, view and summary."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelrepo.metadata import Metadata
from modelrepo.reader import read_metadata
from modelrepo.repository import ModelRepository
from modelrepo.table import layer_table
from training.architectures import Textbook
from training.charts import draw_grid
from training.cluster import read_cluster
from training.course import Course
from training.datasets import SPECS, Dataset
from training.distribution import Distribution, all_gpus
from training.download import obtain
from training.environment import portable_command
from training.errors import InvalidChoice, InvalidCluster, InvalidNetwork
from training.foldercommands import load_pictures, refuse_picture_options
from training.int8command import in_eight_bits
from training.learning import assist, train
from training.publishing import publish_network
from training.recipes import RECIPES, Recipe
from training.run import Run, build_network
from training.saving import SUFFIX, load_network
from training.starting import read_start
from training.unpacking import unpacked
from training.workers import Workers

_NAMED = 10  # classes in a description that people read on one line


def train_recipe(options: Namespace) -> int:
    """Train by a recipe and publish."""
    recipe = _vary(options, _choose_recipe(options))
    _check_places(options)
    course = Course(
        distribution=_distribute(options),
        start=None if options.start is None else read_start(options.start, recipe.architecture),
        freeze=options.freeze,
        tensorboard=options.tensorboard,
    )
    with _opened(options, recipe) as run:
        if course.distribution.chief:
            return _report(train(run, options.save, options.checkpoint, course))
        assist(run, course)
    return 0


def export(options: Namespace) -> int:
    """Publish a saved network."""
    if options.int8 and options.abstain:
        raise InvalidChoice("--abstain is for the float32 network's probabilities: leave it out with --int8")
    network = load_network(options.network)
    derive = in_eight_bits if options.int8 else None
    with _opened(options, _vary(options, options.recipe)) as run:
        return _report(publish_network(run, network, derive=derive))


def view(options: Namespace) -> int:
    """Write the grid of images."""
    with ExitStack() as stack:
        dataset = _load_shown(options, stack)
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


def _check_places(options: Namespace) -> None:
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


def _choose_recipe(options: Namespace) -> str:
    """The recipe that is named, else the one for any folder."""
    if options.recipe is None and (options.data is None or options.name is None):
        raise InvalidChoice(
            f"name a recipe ({', '.join(RECIPES)}), or a folder of pictures and what to call the model: "
            "train --data FOLDER --name NAME"
        )
    return options.recipe or "folder"


@contextmanager
def _opened(options: Namespace, recipe: Recipe) -> Iterator[Run]:
    """The run, as long as its data set can be read."""
    with ExitStack() as stack:
        dataset = _load(options, recipe, stack)
        yield Run(
            recipe=_describe(replace(recipe, dataset=dataset.spec)),
            dataset=dataset,
            repository=ModelRepository(options.models),
            name=options.name or recipe.model or recipe.name,
            command=portable_command(options.arguments),
            verbose=_verbosity(),
            abstain_for=options.abstain,
        )


def _describe(recipe: Recipe) -> Recipe:
    """The recipe for a folder, with what the folder holds as what the model is for."""
    if not recipe.any_folder:
        return recipe
    labels = recipe.dataset.labels
    more = f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else ""
    return replace(recipe, description=f"{len(labels):,} classes: {', '.join(labels[:_NAMED])}{more}")


def _vary(options: Namespace, name: str) -> Recipe:
    """The recipe with what the command line changes about it; raises InvalidNetwork where it has no such thing."""
    recipe = RECIPES[name]
    shape = _given(options, "pooling", "strides", "padding")
    if shape and not isinstance(recipe.architecture, Textbook):
        raise InvalidNetwork(f"--{' and --'.join(shape)} change the textbook's network, and {name} has another")
    architecture = replace(recipe.architecture, **shape)
    weights = {None: recipe.balance, True: 1.0, False: 0.0}[getattr(options, "class_weights", None)]
    return replace(recipe, architecture=architecture, balance=weights, **_given(options, "seed", "epochs", "precision"))


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


def _load(options: Namespace, recipe: Recipe, stack: ExitStack) -> Dataset:
    if recipe.any_folder:
        if options.data is None:
            raise InvalidChoice(f"{recipe.name} takes a folder of pictures: give it by --data FOLDER")
        return load_pictures(options, recipe, stack.enter_context(unpacked(options.data)))
    refuse_picture_options(options, recipe)
    return obtain(recipe.dataset, options.data)


def _load_shown(options: Namespace, stack: ExitStack) -> Dataset:
    """What `view` shows: a data set by its name, or a folder."""
    if options.dataset in SPECS:
        return obtain(SPECS[options.dataset], options.data)
    return load_pictures(options, RECIPES["folder"], stack.enter_context(unpacked(Path(options.dataset))))


def _verbosity() -> int:
    """Keras's progress bar for people, one line an epoch for logs."""
    return 1 if sys.stdout.isatty() else 2


def _report(folder: Path) -> int:
    metadata = read_metadata(folder)
    print(f"Published {metadata.name} version {metadata.version} in {folder}")
    print(f"  test accuracy  {metadata.evaluation['accuracy']:.2%} of {metadata.evaluation['examples']:,} images")
    print(f"  test loss      {metadata.evaluation['loss']:.4f}")
    if "throughput" in metadata.training:
        _report_speed(metadata.training)
    print(f"  parity         {metadata.parity['largest_difference']:.1e} over {metadata.parity['images']:,} images")
    if "calibration" in metadata.evaluation:
        _report_calibration(metadata)
    return 0


def _report_calibration(metadata: Metadata) -> None:
    found, threshold = metadata.evaluation["calibration"], metadata.output.abstain_below
    before, after = found["expected_calibration_error_before"], found["expected_calibration_error_after"]
    print(
        f"  calibration    temperature {found['temperature']:.2f}, error {before:.3f} → {after:.3f} on held out images"
    )
    if threshold is not None:
        right, answered = found["threshold"]["precision"], found["threshold"]["coverage"]
        print(f"  abstains       below {threshold:.3f}: of {answered:.1%} answered {right:.2%} are right")


def _report_speed(training: Mapping[str, Any]) -> None:
    speed = training["throughput"]
    print(f"  input alone    {speed['input_images_per_second']:,.0f} images/s read and prepared")
    print(f"  network alone  {speed['network_images_per_second']:,.0f} images/s learned from")
    print(f"  peak memory    {training['peak_memory_bytes'] / 2**20:,.0f} MiB")

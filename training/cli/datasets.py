"""The data set and the run that a command line names, and the command `preview`, which draws a grid of images."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from modelrepo.repository import ModelRepository
from training.cli.options import add_data
from training.data.download import download
from training.data.image_folder import HELD_OUT, OWN, SAME, Folder, FolderDataset, read_folder
from training.data.load import read_dataset
from training.data.specs import SPECS, DatasetSpec
from training.data.splits import Dataset
from training.data.tar import unpacked
from training.environment import portable_command
from training.errors import InvalidChoice
from training.evaluation.plots import draw_grid
from training.plotting import as_png
from training.recipes import RECIPES, Recipe
from training.run import Run

_SHOWN = 10  # unreadable files named one by one
_NAMED = 10  # classes in a description that people read on one line


def add_preview(parser: ArgumentParser) -> None:
    """Give the parser the arguments of `preview`."""
    parser.add_argument("dataset", metavar=f"{{{','.join(SPECS)}}}|FOLDER")
    add_data(parser, "; downloaded where this is missing")
    parser.add_argument("--out", type=Path, default=Path("grid.png"), metavar="FILE.png")
    parser.set_defaults(command=preview)


def preview(options: Namespace) -> int:
    """Write the grid of images."""
    with _open_images(options) as dataset:
        options.out.write_bytes(as_png(draw_grid(dataset)))
    print(f"Wrote {options.out}: {len(dataset.train):,} training and {len(dataset.test):,} test images")
    return 0


@contextmanager
def open_run(options: Namespace, recipe: Recipe) -> Iterator[Run]:
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


@contextmanager
def _open_images(options: Namespace) -> Iterator[Dataset]:
    """What `preview` shows, as long as it can be read: a data set by its name, or a folder."""
    with ExitStack() as stack:
        if options.dataset in SPECS:
            yield read_or_download(SPECS[options.dataset], options.data)
        else:
            folder = stack.enter_context(unpacked(Path(options.dataset)))
            yield _read_folder(options, RECIPES["folder"], folder)


def load_dataset(options: Namespace, recipe: Recipe, stack: ExitStack) -> Dataset:
    """The recipe's data set, which can be read until the stack is closed; raises InvalidChoice or InvalidData."""
    if recipe.image_folder:
        if options.data is None:
            raise InvalidChoice(f"{recipe.name} takes a folder of pictures: give it by --data FOLDER")
        return _read_folder(options, recipe, stack.enter_context(unpacked(options.data)))
    _refuse_folder_options(options, recipe)
    return read_or_download(recipe.dataset, options.data)


def verbosity() -> int:
    """Keras's progress bar for people, one line an epoch for logs."""
    return 1 if sys.stdout.isatty() else 2


def read_or_download(spec: DatasetSpec, path: Path | None) -> Dataset:
    """A known data set, from local files or, where no path is given, by download; raises InvalidData."""
    return download(spec) if path is None else read_dataset(spec, path)


def _read_folder(options: Namespace, recipe: Recipe, folder: Path) -> Dataset:
    """Read the folder as the recipe and the options say, and print what is in it."""
    *size, channels = recipe.dataset.shape
    height, width = getattr(options, "size", None) or size
    spec = replace(recipe.dataset, shape=(height, width, channels))
    names = getattr(options, "labels", None)
    folder_dataset = read_folder(Folder(folder, spec, recipe.preprocessing, recipe.seed, class_names=names))
    _print_folder(folder_dataset)
    return folder_dataset.dataset


def _refuse_folder_options(options: Namespace, recipe: Recipe) -> None:
    """Raise InvalidChoice where an option for folders is given to a recipe that has its own data set."""
    given = [name for name in ("size", "labels") if getattr(options, name, None) is not None]
    if given:
        raise InvalidChoice(
            f"--{' and --'.join(given)} are for folders of pictures, and {recipe.name} has its own data set: "
            "leave them out, or take the recipe folder"
        )


def _print_folder(folder_dataset: FolderDataset) -> None:
    dataset = folder_dataset.dataset
    for each in folder_dataset.unreadable[:_SHOWN]:
        print(f"Left out: {each.path}: {each.reason}")
    if len(folder_dataset.unreadable) > _SHOWN:
        print(f"Left out: {len(folder_dataset.unreadable) - _SHOWN:,} more")
    tests = {
        OWN: f"{len(dataset.test):,} to test with",
        HELD_OUT: f"{len(dataset.test):,} held out to test with",
        SAME: "which it is tested on, too: no class has two images, so nothing can be held out, "
        "and the figures say what it remembers, not what it has learned",
    }
    print(
        f"{dataset.spec.name}: {len(dataset.spec.class_names):,} classes, {len(dataset.train):,} images to learn from, "
        f"{tests[dataset.origin['folder']['test']]}"
    )


def _describe(recipe: Recipe) -> Recipe:
    """The recipe; for a folder of images described by the names of its classes."""
    if not recipe.image_folder:
        return recipe
    labels = recipe.dataset.class_names
    more = f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else ""
    return replace(recipe, description=f"{len(labels):,} classes: {', '.join(labels[:_NAMED])}{more}")

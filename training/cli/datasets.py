"""The data set that a command line names, and the command `preview`, which draws a grid of its images."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from training.cli.types import add_data
from training.data.download import obtain
from training.data.image_folder import HELD_OUT, OWN, SAME, Folder, FolderDataset, read_folder
from training.data.specs import SPECS
from training.data.splits import Dataset
from training.data.tar import unpacked
from training.errors import InvalidChoice
from training.evaluation.plots import draw_grid
from training.plotting import as_png
from training.recipes import RECIPES, Recipe

_SHOWN = 10  # unreadable files named one by one


def load_pictures(options: Namespace, recipe: Recipe, folder: Path) -> Dataset:
    """Read the folder as the recipe and the options say, and tell what was found."""
    size = getattr(options, "size", None) or (recipe.dataset.height, recipe.dataset.width)
    spec = replace(recipe.dataset, height=size[0], width=size[1])
    names = getattr(options, "labels", None)
    pictures = read_folder(Folder(folder, spec, recipe.preprocessing, recipe.seed, class_names=names))
    _tell(pictures)
    return pictures.dataset


def refuse_picture_options(options: Namespace, recipe: Recipe) -> None:
    """Raise InvalidChoice where an option for folders is given to a recipe that has its own data set."""
    given = [name for name in ("size", "labels") if getattr(options, name, None) is not None]
    if given:
        raise InvalidChoice(
            f"--{' and --'.join(given)} are for folders of pictures, and {recipe.name} has its own data set: "
            "leave them out, or take the recipe folder"
        )


def _tell(pictures: FolderDataset) -> None:
    dataset = pictures.dataset
    for each in pictures.unreadable[:_SHOWN]:
        print(f"Left out: {each.path}: {each.reason}")
    if len(pictures.unreadable) > _SHOWN:
        print(f"Left out: {len(pictures.unreadable) - _SHOWN:,} more")
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


def add_preview(parser: ArgumentParser) -> None:
    """Give the parser the arguments of `preview`."""
    parser.add_argument("dataset", metavar=f"{{{','.join(SPECS)}}}|FOLDER")
    add_data(parser, "; downloaded where this is missing")
    parser.add_argument("--out", type=Path, default=Path("grid.png"), metavar="FILE.png")
    parser.set_defaults(command=preview)


def preview(options: Namespace) -> int:
    """Write the grid of images."""
    with opened_pictures(options) as dataset:
        options.out.write_bytes(as_png(draw_grid(dataset)))
    print(f"Wrote {options.out}: {len(dataset.train):,} training and {len(dataset.test):,} test images")
    return 0


@contextmanager
def opened_pictures(options: Namespace) -> Iterator[Dataset]:
    """What `preview` draws, as long as it can be read: a data set by its name, or a folder."""
    with ExitStack() as stack:
        if options.dataset in SPECS:
            yield obtain(SPECS[options.dataset], options.data)
        else:
            folder = stack.enter_context(unpacked(Path(options.dataset)))
            yield load_pictures(options, RECIPES["folder"], folder)


def load_dataset(options: Namespace, recipe: Recipe, stack: ExitStack) -> Dataset:
    """The recipe's data set, which can be read until the stack is closed; raises InvalidChoice or InvalidData."""
    if recipe.any_folder:
        if options.data is None:
            raise InvalidChoice(f"{recipe.name} takes a folder of pictures: give it by --data FOLDER")
        return load_pictures(options, recipe, stack.enter_context(unpacked(options.data)))
    refuse_picture_options(options, recipe)
    return obtain(recipe.dataset, options.data)

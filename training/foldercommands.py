"""What commands do about folders of pictures: read one for a recipe, and tell what was found in it."""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from training.datasets import Dataset
from training.errors import InvalidChoice
from training.folders import HELD_OUT, OWN, SAME, Folder, Pictures, read_folder
from training.recipes import Recipe

_SHOWN = 10  # unreadable files named one by one


def load_pictures(options: Namespace, recipe: Recipe, folder: Path) -> Dataset:
    """Read the folder as the recipe and the options say, and tell what was found."""
    size = getattr(options, "size", None) or (recipe.dataset.height, recipe.dataset.width)
    spec = replace(recipe.dataset, height=size[0], width=size[1])
    names = getattr(options, "labels", None)
    pictures = read_folder(Folder(folder, spec, recipe.preprocessing, recipe.seed, names=names))
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


def _tell(pictures: Pictures) -> None:
    dataset = pictures.dataset
    for each in pictures.unreadable[:_SHOWN]:
        print(f"Left out: {each.path} {each.why}")
    if len(pictures.unreadable) > _SHOWN:
        print(f"Left out: {len(pictures.unreadable) - _SHOWN:,} more")
    tests = {
        OWN: f"{len(dataset.test):,} to test with",
        HELD_OUT: f"{len(dataset.test):,} held out to test with",
        SAME: "which it is tested on, too: no class has two images, so nothing can be held out, "
        "and the figures say what it remembers, not what it has learned",
    }
    print(
        f"{dataset.spec.name}: {len(dataset.spec.labels):,} classes, {len(dataset.train):,} images to learn from, "
        f"{tests[dataset.origin['folder']['test']]}"
    )

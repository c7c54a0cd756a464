"""The commands that need Keras: train, export, view and summary."""

from argparse import Namespace
from pathlib import Path

from modelrepo.reader import read_metadata
from modelrepo.table import layer_table
from training.charts import draw_grid
from training.course import Course
from training.errors import InvalidChoice
from training.int8command import in_eight_bits
from training.learning import assist, train
from training.opening import check_places, choose_recipe, distribute, opened_pictures, opened_run, vary
from training.publishing import publish_network
from training.recipes import RECIPES
from training.report import report
from training.run import build_network
from training.saving import load_network
from training.starting import read_start


def train_recipe(options: Namespace) -> int:
    """Train by a recipe and publish."""
    recipe = vary(options, choose_recipe(options))
    check_places(options)
    course = Course(
        distribution=distribute(options),
        start=None if options.start is None else read_start(options.start, recipe.architecture),
        freeze=options.freeze,
        tensorboard=options.tensorboard,
    )
    with opened_run(options, recipe) as run:
        if course.distribution.chief:
            report(train(run, options.save, options.checkpoint, course))
        else:
            assist(run, course)
    return 0


def export(options: Namespace) -> int:
    """Publish a saved network."""
    if options.int8 and options.abstain:
        raise InvalidChoice("--abstain is for the float32 network's probabilities: leave it out with --int8")
    network = load_network(options.network)
    derive = in_eight_bits if options.int8 else None
    with opened_run(options, vary(options, options.recipe)) as run:
        report(publish_network(run, network, derive=derive))
    return 0


def view(options: Namespace) -> int:
    """Write the grid of images."""
    with opened_pictures(options) as dataset:
        options.out.write_bytes(draw_grid(dataset))
    print(f"Wrote {options.out}: {len(dataset.train):,} training and {len(dataset.test):,} test images")
    return 0


def summary(options: Namespace) -> int:
    """Print the table of layers of a bundle or of a recipe's network."""
    if options.target in RECIPES:
        build_network(vary(options, options.target), options.target).summary()
    else:
        print(layer_table(read_metadata(Path(options.target))), end="")
    return 0

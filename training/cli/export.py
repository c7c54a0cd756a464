"""The command `export`: a saved Keras network becomes a bundle, in float32 or, by `--int8`, in 8-bit integers.

It prints the bundle that it published, as `train` does.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelrepo.metadata import Metadata
from modelrepo.reader import read_metadata
from training.cli.datasets import open_run
from training.cli.options import add_destination, add_image_folder, change_recipe
from training.data.splits import split_validation
from training.errors import InvalidChoice
from training.export.int8 import Int8
from training.models.saving import load_network
from training.recipes import RECIPES
from training.train import publish_model


def add_export(parser: ArgumentParser) -> None:
    """Give the parser the arguments of `export`."""
    parser.add_argument("network", type=Path, metavar="FILE.keras")
    parser.add_argument("--recipe", choices=RECIPES, required=True, help="whose data set and preprocessing it takes")
    parser.add_argument(
        "--seed", type=int, help="the seed that it was trained with, by which the validation images are drawn"
    )
    add_image_folder(parser)
    parser.add_argument("--int8", action="store_true", help="in 8-bit integers, where that is faster and as accurate")
    add_destination(parser)
    parser.set_defaults(command=export_model)


def export_model(options: Namespace) -> int:
    """Publish a saved network."""
    if options.int8 and options.abstain:
        raise InvalidChoice("--abstain is for the float32 network's probabilities: leave it out with --int8")
    recipe = change_recipe(options, options.recipe)
    network = load_network(options.network)
    with open_run(options, recipe) as run:
        train_split, validation = split_validation(run.dataset, recipe.validation_split, recipe.seed)
        bundle = publish_model(run, network, train_split, validation, int8=Int8() if options.int8 else None)
    print_bundle(bundle)
    return 0


def print_bundle(folder: Path) -> None:
    """Accuracy, loss, speed, parity and calibration."""
    metadata = read_metadata(folder)
    print(f"Published {metadata.name} version {metadata.version} in {folder}")
    print(f"  test accuracy  {metadata.evaluation['accuracy']:.2%} of {metadata.evaluation['examples']:,} images")
    print(f"  test loss      {metadata.evaluation['loss']:.4f}")
    if "throughput" in metadata.training:
        _report_speed(metadata.training)
    print(f"  parity         {metadata.parity['largest_difference']:.1e} over {metadata.parity['images']:,} images")
    if "calibration" in metadata.evaluation:
        _report_calibration(metadata)


def _report_calibration(metadata: Metadata) -> None:
    calibration, threshold = metadata.evaluation["calibration"], metadata.output.abstain_below
    error = "{expected_calibration_error_before:.3f} → {expected_calibration_error_after:.3f}".format_map(calibration)
    print(f"  calibration    temperature {calibration['temperature']:.2f}, error {error} on held out images")
    if threshold is not None:
        precision, coverage = calibration["threshold"]["precision"], calibration["threshold"]["coverage"]
        print(f"  abstains       below {threshold:.3f}: of {coverage:.1%} answered {precision:.2%} are right")


def _report_speed(training: Mapping[str, Any]) -> None:
    speed = training["throughput"]
    print(f"  input alone    {speed['input_images_per_second']:,.0f} images/s read and prepared")
    print(f"  network alone  {speed['network_images_per_second']:,.0f} images/s learned from")
    print(f"  peak memory    {training['peak_memory_bytes'] / 2**20:,.0f} MiB")

"""The command `fit-abstention`: a bundle gets an outlier score, fitted anew on its data set. No network is trained."""

import shutil
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelrepo.metadata import Metadata, OutputSpec
from modelrepo.reader import Bundle, read_bundle
from modelrepo.repository import MODEL, ModelRepository
from modelrepo.writer import publish, replace_version, staging
from training.cli.types import probability
from training.data.load import read_dataset
from training.data.splits import Dataset, hold_out
from training.environment import portable_command, utc_now
from training.errors import InvalidChoice
from training.evaluation.test_split import check_split, find_dataset
from training.export.abstention import DISTANCE, ENERGY, Abstention, Contract, Rule, Splits, fit_abstention
from training.export.outlier_output import OUTPUT
from training.recipes import RECIPES


def add_fit_abstention(parser: ArgumentParser) -> None:
    """Give the parser the arguments of `fit-abstention`."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder of a version, such as models/mnist/1")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="PATH", help="its data set in local files, to fit the score on"
    )
    parser.add_argument(
        "--share",
        type=probability,
        help="of the held out images that it is right about, how many to abstain from; the recipe's by default",
    )
    parser.add_argument(
        "--score", choices=(DISTANCE, ENERGY), help="how the score is computed; the recipe's way by default"
    )
    parser.add_argument(
        "--abstain-below", type=probability, metavar="P", help="abstain from images of a smaller probability, too"
    )
    parser.add_argument("--in-place", action="store_true", help="rewrite the version, instead of publishing the next")
    parser.set_defaults(command=fit_bundle)


def fit_bundle(options: Namespace) -> int:
    """Publish the bundle with an outlier score as the next version of its model, or in its own place."""
    bundle = read_bundle(options.bundle)
    dataset = read_dataset(find_dataset(bundle), options.data)
    check_split(bundle, dataset.test)
    metadata, record = bundle.metadata, bundle.metadata.training
    abstention = fit_abstention(
        bundle.model.read_bytes(),
        Contract(metadata.input, metadata.preprocessing, metadata.output),
        _split(bundle, dataset),
        _choose_rule(options, record["recipe"]),
        record["seed"],
    )
    folder = _publish(bundle, abstention, options)
    _print(folder, abstention)
    return 0


def _choose_rule(options: Namespace, recipe: str) -> Rule:
    default = RECIPES[recipe]
    return Rule(options.score or default.outlier_score, options.share or default.outlier_share)


def _split(bundle: Bundle, dataset: Dataset) -> Splits:
    """The splits that the network was trained, calibrated and tested with, by the numbers in the bundle."""
    record = bundle.metadata.training
    try:
        # By this number alone: drawn images, which no data set has, count as training images, too.
        train, validation = hold_out(dataset.train, record["validation_images"] / len(dataset.train), record["seed"])
    except KeyError as error:
        raise InvalidChoice(f"{bundle.path} does not say which images were held out ({error} is missing)") from error
    return Splits(train, validation, dataset.test)


def _publish(bundle: Bundle, abstention: Abstention, options: Namespace) -> Path:
    root = options.bundle.absolute().parent.parent
    repository = ModelRepository(root)
    version = bundle.metadata.version if options.in_place else repository.next_version(bundle.metadata.name)
    with staging(repository) as folder:
        for name in bundle.metadata.files:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(bundle.path / name, folder / name)
        (folder / MODEL).write_bytes(abstention.graph)
        metadata = _describe(bundle.metadata, abstention, version, options)
        write = replace_version if options.in_place else publish
        return write(repository, folder, metadata)


def _describe(metadata: Metadata, abstention: Abstention, version: int, options: Namespace) -> Metadata:
    below = metadata.output.abstain_below if options.abstain_below is None else options.abstain_below
    output: OutputSpec = replace(
        metadata.output, abstain_below=below, outlier_output=OUTPUT, outlier_above=abstention.above
    )
    record: dict[str, Any] = {**abstention.record, "command": portable_command(options.arguments), "created": utc_now()}
    return replace(metadata, version=version, output=output, evaluation={**metadata.evaluation, "abstention": record})


def _print(folder: Path, abstention: Abstention) -> None:
    print(f"Published {folder}")
    print(f"  abstains       above {abstention.above:.3f}")
    for split in ("validation", "test"):
        figures = abstention.record[split]
        lost, share = figures["right_answers_lost"], figures["abstained"]
        print(f"  {split:<14} {share:.2%} of {figures['images']:,} images, {lost:.2%} of the right answers")
    print(f"  noise          {abstention.record['noise']['abstained']:.2%}")

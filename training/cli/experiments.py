"""The command `experiments`: train variants of a recipe one after the other, or compare output sizes, in a table."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from training.analysis.experiment_plot import draw_experiment
from training.analysis.experiments import EXPERIMENTS, Experiment, Result, Variant, run_variant
from training.analysis.output_shapes import SETTINGS, Setting, Sides, check_shapes, zeros_added
from training.cli.datasets import read_or_download, verbosity
from training.cli.options import change_recipe
from training.cli.tables import align
from training.cli.types import positive
from training.data.splits import Dataset
from training.environment import portable_command, utc_now
from training.export.publish import describe_source
from training.files import write_whole
from training.plotting import as_png
from training.recipes import RECIPES, Recipe

ALIASES = {"ablation": ["choices"]}  # older names


def add_experiments(parser: ArgumentParser) -> None:
    """Give the parser a command for every experiment."""
    names = parser.add_subparsers(dest="experiment", required=True, metavar="EXPERIMENT")
    for name, experiment in EXPERIMENTS.items():
        aliases = ALIASES.get(name, [])
        command = names.add_parser(name, aliases=aliases, help=f"train and compare: {experiment.subject}")
        _add_experiment(command, experiment)
    _add_shapes(names.add_parser("shapes", help="hold the formula for output sizes against Keras and exported graphs"))


def _add_experiment(parser: ArgumentParser, experiment: Experiment) -> None:
    parser.add_argument("--data", type=Path, metavar="PATH", help="the data set in local files; else downloaded")
    parser.add_argument(
        "--out", type=Path, default=Path("experiments"), metavar="DIR", help="where plot and figures are written"
    )
    _add_recipe(parser, "which recipe the variants are trained by", experiment.recipe)
    parser.add_argument("--epochs", type=positive, help="another number of epochs than the recipe's")
    parser.add_argument("--seed", type=int, help="another seed than the recipe's; all variants start from the same")
    parser.set_defaults(command=compare, experiment=experiment.name)  # also where an alias was given


def _add_shapes(parser: ArgumentParser) -> None:
    _add_recipe(parser, "whose images the sizes are those of", "mnist")
    parser.set_defaults(command=shapes)


def _add_recipe(parser: ArgumentParser, text: str, default: str) -> None:
    known = [name for name, recipe in RECIPES.items() if not recipe.image_folder]
    parser.add_argument("--recipe", choices=known, default=default, help=f"{text} (default {default})")


Attempt = Callable[[Variant, Recipe, Dataset, int], Result]

_HEADS = ("variant", "last shape", "parameters", "multiply-adds", "test accuracy", "95 % interval", "training")


def compare(options: Namespace, attempt: Attempt = run_variant) -> int:
    """Run an experiment, print its table, and write its plot and its figures after the last variant."""
    experiment, recipe = EXPERIMENTS[options.experiment], change_recipe(options, options.recipe)
    options.out.mkdir(parents=True, exist_ok=True)  # before minutes of training, not after
    dataset = read_or_download(recipe.dataset, options.data)
    results = list(_try_all(experiment, recipe, dataset, attempt))
    print("\n".join(["", *align([_HEADS, *map(_row, results)]), ""]))
    source = describe_source(recipe, dataset, None, portable_command(options.arguments))
    plot = as_png(draw_experiment(f"{recipe.name}: {experiment.subject}", results))
    figures = _to_json(experiment, source, results)
    _write(options.out / f"{experiment.name}.png", plot)
    _write(options.out / f"{experiment.name}.json", figures)
    return 0


def _try_all(experiment: Experiment, recipe: Recipe, dataset: Dataset, attempt: Attempt) -> Iterator[Result]:
    verbose = verbosity()
    for place, variant in enumerate(experiment.variants, start=1):
        print(f"{experiment.name} {place} of {len(experiment.variants)}: {variant.label}", flush=True)
        yield attempt(variant, recipe, dataset, verbose)


def _row(result: Result) -> Sequence[str]:
    low, high = result.interval
    return (
        result.variant.label,
        " × ".join(map(str, result.last_shape)),
        f"{result.parameters:,}",
        f"{result.multiply_adds:,}",
        f"{result.evaluation.accuracy:.2%}",
        f"{100 * low:.2f}–{high:.2%}",
        f"{result.fitted.seconds:.0f} s",
    )


def _to_json(experiment: Experiment, source: dict[str, Any], results: Sequence[Result]) -> bytes:
    record = {
        "experiment": experiment.name,
        "subject": experiment.subject,
        "created": utc_now(),
        **source,
        "variants": [result.to_json() for result in results],
    }
    return (json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    write_whole(path, content)
    print(f"Wrote {path}")


_SHAPE_HEADS = ("kernel, stride, padding", "zeros added", "convolution", "pooling", "convolution", "pooling")


def shapes(options: Namespace, settings: Sequence[Setting] = SETTINGS) -> int:
    """Print the table; raises ShapesDiffer at the first setting in which the formula is not right."""
    image = RECIPES[options.recipe].dataset.shape
    shown: Iterable[Setting] = tqdm(settings, desc="shapes", unit=" networks", leave=False, disable=None)
    checked = [(setting, check_shapes(image, setting)) for setting in shown]
    print("\n".join(align([_SHAPE_HEADS, *(_shape_row(image, setting, sides) for setting, sides in checked)])))
    print(f"\nFormula, Keras and exported graph agree in all {len(checked)} networks on {image[0]}×{image[1]} images.")
    return 0


def _shape_row(image: tuple[int, int, int], setting: Setting, sides: Sides) -> Sequence[str]:
    """The zeros are those that the first convolution adds to the height, before and after."""
    before, after = zeros_added(image[0], setting.kernel, setting.strides, setting.padding)
    cells = [f"{height}×{width}" for height, width in sides] or ["nothing left", "", "", ""]
    return f"{setting.kernel}, {setting.strides}, {setting.padding}", f"{before} + {after}", *cells

"""The command `experiments`: train variants of a recipe one after the other and show how they differ."""

import json
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from training.datasets import Dataset
from training.download import obtain
from training.environment import portable_command, utc_now
from training.experimentcharts import draw_experiment
from training.experiments import EXPERIMENTS, Experiment, Variant
from training.opening import vary, verbosity
from training.outcomes import Outcome, try_variant
from training.provenance import describe_source
from training.recipes import Recipe
from training.texttable import align
from training.wholefile import write_whole

Attempt = Callable[[Variant, Recipe, Dataset, int], Outcome]

_HEADS = ("variant", "last shape", "parameters", "multiply-adds", "test accuracy", "95 % interval", "training")


def compare(options: Namespace, attempt: Attempt = try_variant) -> int:
    """Run an experiment, print its table, and write its picture and its figures once all variants are through."""
    experiment, recipe = EXPERIMENTS[options.experiment], vary(options, options.recipe)
    options.out.mkdir(parents=True, exist_ok=True)  # before minutes of training, not after
    dataset = obtain(recipe.dataset, options.data)
    outcomes = list(_try_all(experiment, recipe, dataset, attempt))
    print("\n".join(["", *align([_HEADS, *map(_row, outcomes)]), ""]))
    told = describe_source(recipe, dataset, None, portable_command(options.arguments))
    picture = draw_experiment(f"{recipe.name}: {experiment.subject}", outcomes)
    figures = _to_json(experiment, told, outcomes)
    _write(options.out / f"{experiment.name}.png", picture)
    _write(options.out / f"{experiment.name}.json", figures)
    return 0


def _try_all(experiment: Experiment, recipe: Recipe, dataset: Dataset, attempt: Attempt) -> Iterator[Outcome]:
    verbose = verbosity()
    for place, variant in enumerate(experiment.variants, start=1):
        print(f"{experiment.name} {place} of {len(experiment.variants)}: {variant.label}", flush=True)
        yield attempt(variant, recipe, dataset, verbose)


def _row(outcome: Outcome) -> Sequence[str]:
    low, high = outcome.interval
    return (
        outcome.variant.label,
        " × ".join(map(str, outcome.last_shape)),
        f"{outcome.parameters:,}",
        f"{outcome.multiply_adds:,}",
        f"{outcome.evaluation.accuracy:.2%}",
        f"{100 * low:.2f}–{high:.2%}",
        f"{outcome.fitted.seconds:.0f} s",
    )


def _to_json(experiment: Experiment, told: dict[str, Any], outcomes: Sequence[Outcome]) -> bytes:
    record = {
        "experiment": experiment.name,
        "subject": experiment.subject,
        "created": utc_now(),
        **told,
        "variants": [outcome.to_json() for outcome in outcomes],
    }
    return (json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    write_whole(path, content)
    print(f"Wrote {path}")

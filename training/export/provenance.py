"""Where a trained model comes from: the numbers of its run and the data, beside the environment that made it."""

from dataclasses import asdict
from typing import Any

from training.data.splits import Dataset
from training.engine.trainer import Fit
from training.environment import describe_machine, describe_versions, peak_memory_bytes
from training.recipes import Recipe

_LIBRARIES = ("keras", "tensorflow", "tf2onnx", "onnxruntime", "numpy", "pillow")


def describe_fit(recipe: Recipe, fit: Fit) -> dict[str, Any]:
    """The numbers of a run and what came of it, epoch by epoch."""
    weights, speed = fit.class_weights, fit.throughput
    return {
        **_describe_recipe(recipe),
        "train_images": fit.train_images,
        "validation_images": fit.validation_images,
        "history": dict(fit.history),
        "seconds": round(fit.seconds, 1),
        "peak_memory_bytes": peak_memory_bytes(),
        **({} if speed is None else {"throughput": asdict(speed)}),
        **({} if weights is None else {"class_weights": [round(weight, 4) for weight in weights.values()]}),
    }


def _describe_recipe(recipe: Recipe) -> dict[str, Any]:
    """All numbers of a recipe but those that stand elsewhere in the metadata."""
    elsewhere = ("name", "model", "description", "dataset", "preprocessing", "any_folder")
    numbers = {name: value for name, value in asdict(recipe).items() if name not in elsewhere}
    return {
        **numbers,
        "optimizer": "SGD",
        "architecture": {"kind": type(recipe.architecture).__name__, **numbers["architecture"]},
    }


def describe_dataset(dataset: Dataset) -> dict[str, Any]:
    """Name, sizes and digests of the splits, by which anybody can tell whether their copy is the same."""
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {
        "name": dataset.spec.name,
        "splits": {
            name: {"examples": len(split), "sha256": split.digest}
            for name, split in splits.items()
            if split is not None
        },
        **dataset.origin,
    }


def describe_source(recipe: Recipe, dataset: Dataset, fit: Fit | None, command: str) -> dict[str, Any]:
    """The whole record; `fit` is None for a network that was trained elsewhere."""
    return {
        "command": command,
        "recipe": recipe.name,
        **({} if fit is None else describe_fit(recipe, fit)),
        "dataset": describe_dataset(dataset),
        "versions": describe_versions(_LIBRARIES),
        "machine": describe_machine(),
    }

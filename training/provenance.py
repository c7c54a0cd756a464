"""Where a trained model comes from: the numbers of its run and the data, beside the environment that made it."""

from typing import Any

from training.datasets import Dataset
from training.environment import describe_machine, describe_versions
from training.fitting import Fit
from training.recipes import Recipe

_LIBRARIES = ("keras", "tensorflow", "tf2onnx", "onnxruntime", "numpy", "pillow")


def describe_fit(recipe: Recipe, fit: Fit) -> dict[str, Any]:
    """The numbers of a run and what came of it, epoch by epoch."""
    return {
        "seed": recipe.seed,
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size,
        "optimizer": {"name": "SGD", "learning_rate": recipe.learning_rate, "momentum": recipe.momentum},
        "network": {
            "filters": list(recipe.filters),
            "pooling": recipe.pooling,
            "strides": recipe.strides,
            "padding": recipe.padding,
        },
        "train_images": fit.train_images,
        "validation_images": fit.validation_images,
        "history": dict(fit.history),
        "seconds": round(fit.seconds, 1),
    }


def describe_dataset(dataset: Dataset) -> dict[str, Any]:
    """Name, sizes and digests of the splits, by which anybody can tell whether their copy is the same."""
    splits = {"train": dataset.train, "test": dataset.test}
    return {
        "name": dataset.spec.name,
        "splits": {name: {"examples": len(split), "sha256": split.digest} for name, split in splits.items()},
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

"""Where a model comes from: the command, the data, the libraries and the machine that made it."""

import os
import platform
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from training.datasets import Dataset
from training.fitting import Fit
from training.recipes import Recipe

_LIBRARIES = ("keras", "tensorflow", "tf2onnx", "onnxruntime", "numpy", "pillow")
_CPUINFO = Path("/proc/cpuinfo")


def portable_command(arguments: Sequence[str]) -> str:
    """The command as typed, every path cut down to its last part: the rest says only where somebody keeps things."""
    return shlex.join(["python", "-m", "training", *map(_without_folders, arguments)])


def describe_fit(recipe: Recipe, fit: Fit) -> dict[str, Any]:
    """The numbers of a run and what came of it, epoch by epoch."""
    return {
        "seed": recipe.seed,
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size,
        "optimizer": {"name": "SGD", "learning_rate": recipe.learning_rate, "momentum": recipe.momentum},
        "network": {"pooling": recipe.pooling, "strides": recipe.strides, "padding": recipe.padding},
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


def describe_versions() -> dict[str, str]:
    """Python's version and those of the libraries that shape the result."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def describe_machine() -> dict[str, Any]:
    """The kind of machine, not which one."""
    return {"system": platform.system(), "cpu": _cpu_model(), "cores": os.cpu_count()}


def utc_now() -> str:
    """The moment in ISO 8601, to the second, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def describe_source(recipe: Recipe, dataset: Dataset, fit: Fit | None, command: str) -> dict[str, Any]:
    """The whole record; `fit` is None for a network that was trained elsewhere."""
    return {
        "command": command,
        "recipe": recipe.name,
        **({} if fit is None else describe_fit(recipe, fit)),
        "dataset": describe_dataset(dataset),
        "versions": describe_versions(),
        "machine": describe_machine(),
    }


def _without_folders(argument: str) -> str:
    option, equals, value = argument.rpartition("=")
    return option + equals + Path(value).name if os.sep in value else argument


def _cpu_model() -> str:
    if _CPUINFO.is_file():
        for line in _CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

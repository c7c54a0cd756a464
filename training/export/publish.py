"""A checked graph becomes a bundle: its files and its metadata are staged, and published as the last step.

The metadata has the numbers of the run and the data, beside the environment that made it.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from modelrepo.golden import write_golden
from modelrepo.metadata import InputSpec, Metadata, OutputSpec
from modelrepo.repository import MODEL
from modelrepo.strict_json import JsonObject
from modelrepo.writer import staging
from training.data.splits import Dataset
from training.engine.trainer import Fit
from training.environment import describe_machine, describe_versions, peak_memory_bytes, utc_now
from training.evaluation.calibration import Calibration
from training.evaluation.metrics import Evaluation, predicted_labels
from training.evaluation.plots import draw_confusion, draw_history
from training.evaluation.test_split import write_predictions
from training.export.outlier_output import OUTPUT as OUTLIERS
from training.export.to_onnx import INPUT, OUTPUT, Exported
from training.models.architectures import ResNet, ResNet9, Textbook
from training.models.build import Network
from training.models.summary import count_parameters, table_layers
from training.plotting import as_png
from training.recipes import Recipe
from training.run import Run


def publish_bundle(
    run: Run,
    model: Network,
    exported: Exported,
    *,
    evaluation: Evaluation,
    calibration: Calibration | None,
    fitted: Fit | None,
    origin: JsonObject,
) -> Path:
    """Publish a graph and what is known about it as the next version of the run's name; returns the bundle's folder.

    Raises RepositoryError or OSError, and then the repository is as it was.
    """
    source = {**describe_source(run.recipe, run.dataset, fitted, run.command), **origin, **exported.origin}
    with staging(run.repository) as folder:
        _write_files(folder, run.name, exported, evaluation, fitted)
        metadata = _describe_bundle(run, model, exported, evaluation=evaluation, calibration=calibration, source=source)
        return run.publish(run.repository, folder, metadata)


def _write_files(folder: Path, name: str, exported: Exported, evaluation: Evaluation, fitted: Fit | None) -> None:
    (folder / MODEL).write_bytes(exported.graph)
    write_golden(folder, exported.golden)
    write_predictions(folder, predicted_labels(exported.probabilities))
    (folder / "confusion.png").write_bytes(as_png(draw_confusion(f"{name} on the test split", evaluation)))
    if fitted is not None:
        (folder / "training.png").write_bytes(as_png(draw_history(f"{name}: training", fitted.history)))


def _describe_bundle(
    run: Run,
    model: Network,
    exported: Exported,
    *,
    evaluation: Evaluation,
    calibration: Calibration | None,
    source: dict[str, Any],
) -> Metadata:
    spec, threshold = run.dataset.spec, None if calibration is None else calibration.threshold
    return Metadata(
        name=run.name,
        created=utc_now(),
        version=run.repository.next_version(run.name),
        description=run.recipe.description,
        input=InputSpec(INPUT, "uint8", "NHWC", None, *spec.shape),
        preprocessing=run.recipe.preprocessing,
        output=OutputSpec(
            OUTPUT,
            "float32",
            "probabilities",
            len(spec.class_names),
            None if threshold is None else threshold.threshold,
            None if exported.outlier_above is None else OUTLIERS,
            exported.outlier_above,
        ),
        labels=spec.class_names,
        layers=table_layers(model),
        parameters=count_parameters(model),
        training=source,
        evaluation={
            **evaluation.to_json(),
            **({} if calibration is None else {"calibration": calibration.to_json()}),
            **({} if exported.outlier_above is None else {"abstention": exported.abstention}),
        },
        parity=exported.parity,
        files={},
    )


_ELSEWHERE = ("name", "model", "description", "dataset", "preprocessing", "image_folder")
# The metadata is a public format: its members are called as in the first bundles.
_MEMBERS = {
    "ema_momentum": "averaging",
    "flip_tta": "mirrored",
    "class_weight_threshold": "balance",
    "validation_split": "validation",
}
_KINDS = {Textbook: "Textbook", ResNet9: "Plain", ResNet: "Residual"}
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
    numbers = {_MEMBERS.get(name, name): value for name, value in asdict(recipe).items() if name not in _ELSEWHERE}
    return {
        **numbers,
        "optimizer": "SGD",
        "architecture": {"kind": _KINDS[type(recipe.architecture)], **numbers["architecture"]},
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

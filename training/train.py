"""Two lines of steps: `train` fits a recipe's network, `publish_model` makes a bundle of a trained one.

Every step is one call, in the order in which it happens.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from modelrepo.metadata import OutputSpec
from modelrepo.strict_json import JsonObject
from training.data.drawn.draw import add_drawn
from training.data.splits import Dataset, Split, split_validation
from training.engine.callbacks import TensorBoardLog
from training.engine.checkpoint import Checkpoint
from training.engine.distributed.strategy import Distribution
from training.engine.fine_tuning import Pretrained, transfer_weights
from training.engine.input_pipeline import predict
from training.engine.trainer import (
    Fit,
    build_serving_model,
    build_training_model,
    compile_model,
    fit,
    seed_everything,
)
from training.errors import InvalidData, InvalidNetwork, Unfitted
from training.evaluation.calibration import Calibration, calibrate
from training.evaluation.metrics import evaluate
from training.export.abstention import Contract, Rule, Splits, fit_abstention
from training.export.int8 import Int8, quantize_checked
from training.export.publish import publish_bundle
from training.export.to_onnx import OUTPUT, Exported, check_parity, to_onnx
from training.models.build import Network
from training.models.saving import save_network
from training.models.temperature import apply_temperature, can_apply_temperature
from training.run import Run

_NOTHING: JsonObject = {}


@dataclass(frozen=True)
class TrainOptions:
    """What may be asked of a training besides its recipe; by default one process, random weights, and no files.

    `save` is where the Keras network is written, too. `checkpoint` is the file that has the run's state until the run
    has ended, so that the same run goes on from there after it was killed.
    """

    distribution: Distribution = field(default_factory=Distribution)
    start: Pretrained | None = None
    freeze: bool = False
    tensorboard: Path | None = None
    save: Path | None = None
    checkpoint: Path | None = None

    def describe(self) -> dict[str, Any]:
        """The part of the metadata's training record that says where and from what the network was trained."""
        earlier = {} if self.start is None else {"started_from": {**self.start.origin, "frozen": self.freeze}}
        return {**self.distribution.describe(), **earlier}


_DEFAULTS = TrainOptions()


def train(run: Run, options: TrainOptions = _DEFAULTS) -> Path:
    """Train the recipe's network and publish it as the next version of the run's name; returns the bundle's folder.

    Raises InvalidCheckpoint, InvalidCluster, WorkerLost and what `publish_model` raises.
    """
    train_split, validation = split_validation(run.dataset, run.recipe.validation_split, run.recipe.seed)
    trained, fitted = fit_model(run, train_split, validation, options)
    model = build_serving_model(run.recipe, run.name, trained)
    if options.save is not None:
        save_network(model, options.save)
    bundle = publish_model(run, model, train_split, validation, fitted=fitted, origin=options.describe())
    if options.checkpoint is not None:
        options.checkpoint.unlink(missing_ok=True)
    return bundle


def fit_model(run: Run, train_split: Split, validation: Split, options: TrainOptions) -> tuple[Network, Fit]:
    """Build, compile and fit the recipe's network: the part of a training that all processes of a cluster do."""
    recipe, distribution = run.recipe, options.distribution
    train_split = add_drawn(train_split, recipe.drawn, recipe.seed)
    seed_everything(recipe.seed)
    identity = _identify(run, train_split, options)
    distribution.check_same_run(identity)
    with distribution.scope():
        network = build_training_model(recipe, run.name)
        if options.start is not None:
            transfer_weights(options.start, network, run.dataset.spec.class_names, freeze=options.freeze)
        compile_model(network, recipe, train_split, distribution)
    fitted = fit(
        network,
        recipe,
        train_split,
        validation,
        verbose=run.verbose if distribution.chief else 0,
        checkpoint=Checkpoint(options.checkpoint, identity) if options.checkpoint and distribution.chief else None,
        callbacks=[TensorBoardLog(options.tensorboard)] if options.tensorboard and distribution.chief else [],
        distribution=distribution,
    )
    return network, fitted


def publish_model(
    run: Run,
    model: Network,
    train_split: Split,
    validation: Split,
    *,
    fitted: Fit | None = None,
    int8: Int8 | None = None,
    origin: JsonObject = _NOTHING,
    export: Callable[[Network], bytes] = to_onnx,
) -> Path:
    """Calibrate, export, check, score outliers, evaluate and publish a trained model; returns the bundle's folder.

    `fitted` is None for a model that was trained elsewhere, `origin` is added to the record of its training. The
    model's last weights take in the temperature. Raises InvalidNetwork, InvalidData, ParityFailed, NotWorthwhile,
    RepositoryError or OSError, and then the repository is as it was.
    """
    _check_shapes(model, run.dataset)
    calibration = _calibrate(model, validation, run.abstain_for)
    exported = check_parity(model, export(model), run.dataset.test.images, run.recipe.seed, run.verbose)
    if int8 is not None:
        exported = quantize_checked(exported, run.dataset, run.recipe.seed, int8)
    exported = _add_outlier_score(exported, run, Splits(train_split, validation, run.dataset.test))
    evaluation = evaluate(exported.probabilities, run.dataset.test, run.dataset.spec.class_names)
    return publish_bundle(
        run, model, exported, evaluation=evaluation, calibration=calibration, fitted=fitted, origin=origin
    )


def _add_outlier_score(exported: Exported, run: Run, splits: Splits) -> Exported:
    """The graph with an outlier score and a threshold for it, or as it is where there can be none."""
    rule = Rule(run.recipe.outlier_score, run.recipe.outlier_share)
    if not rule.share or not len(splits.validation):
        return exported
    spec = run.dataset.spec
    output = OutputSpec(OUTPUT, "float32", "probabilities", len(spec.class_names))
    contract = Contract(spec.input, run.recipe.preprocessing, output)
    try:
        abstention = fit_abstention(exported.graph, contract, splits, rule, run.recipe.seed)
    except Unfitted as error:
        print(f"no outlier score: {error}")
        return exported
    return replace(exported, graph=abstention.graph, outlier_above=abstention.above, abstention=abstention.record)


def _identify(run: Run, train_split: Split, options: TrainOptions) -> str:
    """A digest of what the state of a run depends on."""
    earlier = options.describe().get("started_from", "")
    return hashlib.sha256(f"{run.recipe!r} {train_split.digest} {earlier}".encode()).hexdigest()


def _check_shapes(network: Network, dataset: Dataset) -> None:
    shapes = tuple(network.input_shape[1:]), tuple(network.output_shape[1:])
    expected = dataset.spec.shape, (len(dataset.spec.class_names),)
    if shapes != expected:
        raise InvalidNetwork(
            f"the network takes {shapes[0]} and gives {shapes[1]}, but {dataset.spec.name} needs "
            f"{expected[0]} and {expected[1]}: choose the recipe that it was trained by"
        )


def _calibrate(network: Network, validation: Split, abstain_for: float | None) -> Calibration | None:
    """Correct the network's probabilities by those of images that it was not trained on, if there are any."""
    if not len(validation.labels):
        if abstain_for is not None:
            raise InvalidData("no images could be held out, from which to choose a threshold: leave --abstain out")
        return None
    fixed = not can_apply_temperature(network)
    probabilities = predict(network, validation.images)
    calibration = calibrate(probabilities, validation.labels, "validation", abstain_for, fixed=fixed)
    if calibration.temperature != 1:
        apply_temperature(network, calibration.temperature)
    return calibration

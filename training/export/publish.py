"""From a trained network to a bundle: calibrate, evaluate, export, verify, and publish as the last step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from modelrepo.golden import GoldenSet, write_golden
from modelrepo.metadata import InputSpec, Metadata, OutputSpec
from modelrepo.repository import MODEL
from modelrepo.strict_json import JsonObject
from modelrepo.writer import staging
from training.data.splits import Dataset, Labels, Pictures, hold_out
from training.engine.input_pipeline import faults_named, look
from training.engine.trainer import Fit
from training.environment import utc_now
from training.errors import InvalidData, InvalidNetwork
from training.evaluation.calibration import Calibration, calibrate
from training.evaluation.golden_images import draw_images, make_golden
from training.evaluation.metrics import Evaluation, Probabilities, evaluate, predicted_labels
from training.evaluation.onnx_inference import open_graph
from training.evaluation.plots import draw_confusion, draw_history
from training.evaluation.test_split import write_predictions
from training.export.parity import compare, draw_extremes
from training.export.provenance import describe_source
from training.export.to_onnx import INPUT, OUTPUT, to_onnx
from training.models.build import Network
from training.models.summary import count_parameters, table_layers
from training.models.temperature import can_temper, temper
from training.plotting import as_png
from training.run import Run

_NOTHING: JsonObject = {}


@dataclass(frozen=True)
class Verified:
    """A network's graph with everything that was found out about it; `origin` goes into the record of its training."""

    graph: bytes
    labels: Labels
    evaluation: Evaluation
    parity: JsonObject
    golden: GoldenSet
    origin: JsonObject = field(default_factory=dict)


Export = Callable[[Network], bytes]
Derive = Callable[[Run, Verified], Verified]


def publish_network(
    run: Run,
    network: Network,
    fitted: Fit | None = None,
    *,
    derive: Derive | None = None,
    origin: JsonObject = _NOTHING,
    export: Export = to_onnx,
) -> Path:
    """Evaluate, export, verify and publish a trained network; returns the bundle's folder.

    `fitted` is None for a network that was trained elsewhere; `derive` makes what is published of the verified graph;
    `origin` is what else the record of its training shall say. The network's last weights take in the temperature.
    Raises InvalidNetwork, InvalidData, ParityFailed, RepositoryError or OSError, and then the repository is as it was.
    """
    _check_ends(network, run.dataset)
    calibration = _calibrate(run, network)
    verified = verify(run, network, export)
    if derive is not None:
        verified = derive(run, verified)
    source = {**describe_source(run.recipe, run.dataset, fitted, run.command), **origin, **verified.origin}
    with staging(run.repository) as folder:
        _write_files(folder, run.name, verified, fitted)
        return run.publish(run.repository, folder, _describe(run, network, calibration, verified, source))


def _calibrate(run: Run, network: Network) -> Calibration | None:
    """Correct the network's probabilities by what it says of images that it did not learn from, if there are any."""
    watched = run.dataset.validation or hold_out(run.dataset.train, run.recipe.validation, run.recipe.seed)[1]
    if not len(watched):
        if run.abstain_for is not None:
            raise InvalidData("no images could be held out, so nobody knows when to abstain: leave --abstain out")
        return None
    probabilities = predict(network, watched.images)
    found = calibrate(probabilities, watched.labels, "validation", run.abstain_for, fixed=not can_temper(network))
    if found.temperature != 1:
        temper(network, found.temperature)
    return found


def verify(run: Run, network: Network, export: Export = to_onnx) -> Verified:
    """Answer the whole test split with Keras and with the exported graph; raises ParityFailed where they differ."""
    test, spec = run.dataset.test, run.dataset.spec
    extremes = draw_extremes(spec.shape, run.recipe.seed)
    graph = export(network)
    classify = open_graph(graph)
    tested, probed = predict(network, test.images, run.verbose), predict(network, extremes)
    drawn = draw_images(*spec.shape)
    return Verified(
        graph=graph,
        labels=predicted_labels(tested),
        evaluation=evaluate(tested, test, spec.class_names),
        parity=compare(
            np.concatenate([tested, probed]), np.concatenate([classify(test.images), classify(extremes)])
        ).to_json(),
        golden=make_golden(drawn, predict(network, drawn)),
    )


def predict(network: Network, images: Pictures, verbose: int = 0) -> Probabilities:
    """The probabilities that Keras gives for raw images."""
    with faults_named():
        probabilities: Probabilities = network.predict(look(images), verbose=verbose)
    return probabilities


def _check_ends(network: Network, dataset: Dataset) -> None:
    shapes = tuple(network.input_shape[1:]), tuple(network.output_shape[1:])
    expected = dataset.spec.shape, (len(dataset.spec.class_names),)
    if shapes != expected:
        raise InvalidNetwork(
            f"the network takes {shapes[0]} and gives {shapes[1]}, but {dataset.spec.name} needs "
            f"{expected[0]} and {expected[1]}: choose the recipe that it was trained by"
        )


def _write_files(folder: Path, name: str, verified: Verified, fitted: Fit | None) -> None:
    (folder / MODEL).write_bytes(verified.graph)
    write_golden(folder, verified.golden)
    write_predictions(folder, verified.labels)
    (folder / "confusion.png").write_bytes(as_png(draw_confusion(f"{name} on the test split", verified.evaluation)))
    if fitted is not None:
        (folder / "training.png").write_bytes(as_png(draw_history(f"{name}: training", fitted.history)))


def _describe(
    run: Run, network: Network, calibration: Calibration | None, verified: Verified, source: JsonObject
) -> Metadata:
    spec, threshold = run.dataset.spec, None if calibration is None else calibration.threshold
    told = {} if calibration is None else {"calibration": calibration.to_json()}
    abstain_below = None if threshold is None else threshold.threshold
    return Metadata(
        name=run.name,
        version=run.repository.next_version(run.name),
        created=utc_now(),
        description=run.recipe.description,
        input=InputSpec(INPUT, "uint8", "NHWC", None, *spec.shape),
        preprocessing=run.recipe.preprocessing,
        output=OutputSpec(OUTPUT, "float32", "probabilities", len(spec.class_names), abstain_below),
        labels=spec.class_names,
        layers=table_layers(network),
        parameters=count_parameters(network),
        training=source,
        evaluation={**verified.evaluation.to_json(), **told},
        parity=verified.parity,
        files={},
    )

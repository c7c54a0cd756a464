"""One training run, a straight line: recipe → data set → network → fit → evaluate → export → verify → publish."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from modelrepo.golden import GoldenSet, write_golden
from modelrepo.metadata import InputSpec, Metadata, OutputSpec
from modelrepo.repository import MODEL, ModelRepository
from modelrepo.writer import publish, staging
from training.charts import draw_confusion, draw_history
from training.checkpoint import Checkpoint
from training.course import Course
from training.datasets import Dataset, Images, Labels
from training.environment import utc_now
from training.errors import InvalidNetwork
from training.evaluation import Evaluation, Probabilities, evaluate, predicted_labels
from training.export import INPUT, OUTPUT, to_onnx
from training.feeding import look
from training.fitting import Fit, fit, seed_everything
from training.goldenimages import draw_images, make_golden
from training.layertable import count_parameters, table_layers
from training.networks import Network, build
from training.parity import Parity, compare, draw_extremes
from training.predictions import write_predictions
from training.provenance import describe_source
from training.recipes import Recipe
from training.runtime import open_graph
from training.saving import save_network

_USUAL = Course()


@dataclass(frozen=True)
class Run:
    """What is trained on what, and where it goes. `verbose` is Keras's: 0 silent, 1 progress bars, 2 lines."""

    recipe: Recipe
    dataset: Dataset
    repository: ModelRepository
    name: str
    command: str
    verbose: int = 0
    export: Callable[[Network], bytes] = to_onnx
    publish: Callable[[ModelRepository, Path, Metadata], Path] = publish


@dataclass(frozen=True)
class Verified:
    """A network's graph with everything that was found out about it."""

    graph: bytes
    labels: Labels
    evaluation: Evaluation
    parity: Parity
    golden: GoldenSet


def train(run: Run, save: Path | None = None, keep: Path | None = None, course: Course = _USUAL) -> Path:
    """Train the recipe's network and publish it as the next version of the run's name; returns the bundle's folder.

    `save` also keeps the Keras network. `keep` is the file in which the run's state stands until it has ended, so that
    the same run goes on where it was killed. Raises InvalidCheckpoint, InvalidCluster, WorkerLost and what
    `publish_network` raises.
    """
    learned, fitted = _learn(run, keep, course)
    network = build_network(run.recipe, run.name)  # in float32, as it will be served
    network.set_weights(learned.get_weights())
    if save is not None:
        save_network(network, save)
    published = publish_network(run, network, fitted, course)
    if keep is not None:
        keep.unlink(missing_ok=True)
    return published


def assist(run: Run, course: Course) -> None:
    """Do a worker's part of a training whose chief does the rest; raises InvalidCluster or WorkerLost."""
    _learn(replace(run, verbose=0), None, course)


def _learn(run: Run, keep: Path | None, course: Course) -> tuple[Network, Fit]:
    """The trained network, in the recipe's precision, and how it went."""
    seed_everything(run.recipe.seed)
    identity = _identify(run, course)
    course.distribution.check(identity)
    with course.distribution.scope():
        network = build_network(run.recipe, run.name, run.recipe.precision)
        course.begin(network, run.dataset.spec.labels)
    checkpoint = None if keep is None else Checkpoint(keep, identity)
    fitted = fit(
        network,
        run.recipe,
        run.dataset.train,
        run.verbose,
        checkpoint,
        callbacks=course.callbacks(),
        distribution=course.distribution,
    )
    return network, fitted


def build_network(recipe: Recipe, name: str, precision: str = "float32") -> Network:
    """The recipe's network, its weights drawn at random."""
    return build(recipe.architecture, recipe.dataset.shape, len(recipe.dataset.labels), name, precision)


def _identify(run: Run, course: Course) -> str:
    """What a run's state depends on."""
    earlier = course.describe().get("started_from", "")
    return hashlib.sha256(f"{run.recipe!r} {run.dataset.train.digest} {earlier}".encode()).hexdigest()


def publish_network(run: Run, network: Network, fitted: Fit | None = None, course: Course = _USUAL) -> Path:
    """Evaluate, export, verify and publish a trained network; returns the bundle's folder.

    `fitted` is None for a network that was trained elsewhere. Raises InvalidNetwork, ParityFailed, RepositoryError or
    OSError, and then the repository is as it was.
    """
    _check_ends(network, run.dataset)
    verified = verify(run, network)
    with staging(run.repository) as folder:
        _write_files(folder, run.name, verified, fitted)
        return run.publish(run.repository, folder, _describe(run, network, verified, fitted, course))


def verify(run: Run, network: Network) -> Verified:
    """Answer the whole test split with Keras and with the exported graph; raises ParityFailed where they differ."""
    test, spec = run.dataset.test, run.dataset.spec
    extremes = draw_extremes(spec.shape, run.recipe.seed)
    graph = run.export(network)
    classify = open_graph(graph)
    tested, probed = predict(network, test.images, run.verbose), predict(network, extremes)
    drawn = draw_images(*spec.shape)
    return Verified(
        graph=graph,
        labels=predicted_labels(tested),
        evaluation=evaluate(tested, test, spec.labels),
        parity=compare(np.concatenate([tested, probed]), np.concatenate([classify(test.images), classify(extremes)])),
        golden=make_golden(drawn, predict(network, drawn)),
    )


def predict(network: Network, images: Images, verbose: int = 0) -> Probabilities:
    """The probabilities that Keras gives for raw images."""
    probabilities: Probabilities = network.predict(look(images), verbose=verbose)
    return probabilities


def _check_ends(network: Network, dataset: Dataset) -> None:
    shapes = tuple(network.input_shape[1:]), tuple(network.output_shape[1:])
    expected = dataset.spec.shape, (len(dataset.spec.labels),)
    if shapes != expected:
        raise InvalidNetwork(
            f"the network takes {shapes[0]} and gives {shapes[1]}, but {dataset.spec.name} needs "
            f"{expected[0]} and {expected[1]}: choose the recipe that it was trained by"
        )


def _write_files(folder: Path, name: str, verified: Verified, fitted: Fit | None) -> None:
    (folder / MODEL).write_bytes(verified.graph)
    write_golden(folder, verified.golden)
    write_predictions(folder, verified.labels)
    (folder / "confusion.png").write_bytes(draw_confusion(f"{name} on the test split", verified.evaluation))
    if fitted is not None:
        (folder / "training.png").write_bytes(draw_history(f"{name}: training", fitted.history))


def _describe(run: Run, network: Network, verified: Verified, fitted: Fit | None, course: Course) -> Metadata:
    spec = run.dataset.spec
    return Metadata(
        name=run.name,
        version=run.repository.next_version(run.name),
        created=utc_now(),
        description=run.recipe.description,
        input=InputSpec(INPUT, "uint8", "NHWC", None, *spec.shape),
        preprocessing=run.recipe.preprocessing,
        output=OutputSpec(OUTPUT, "float32", "probabilities", len(spec.labels)),
        labels=spec.labels,
        layers=table_layers(network),
        parameters=count_parameters(network),
        training={**describe_source(run.recipe, run.dataset, fitted, run.command), **course.describe()},
        evaluation=verified.evaluation.to_json(),
        parity=verified.parity.to_json(),
        files={},
    )

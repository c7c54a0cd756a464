"""One import, a straight line: file → signature → preprocessing → check → labels → layers → golden images → publish."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modelrepo.golden import write_golden
from modelrepo.metadata import InputSpec, Metadata, OutputSpec, Preprocessing
from modelrepo.naming import is_name
from modelrepo.repository import MODEL, ModelRepository
from modelrepo.writer import publish, staging
from training.data.class_names import read_labels
from training.data.splits import Images
from training.environment import describe_machine, describe_versions, utc_now
from training.errors import InvalidModel
from training.evaluation.golden_images import TOLERANCE, draw_images, make_golden
from training.evaluation.metrics import Probabilities
from training.onnx_import.check import Trial, try_model
from training.onnx_import.image_input import describe_input
from training.onnx_import.layer_table import table_graph
from training.onnx_import.onnx_file import OnnxFile, read_onnx
from training.onnx_import.options import Choices
from training.onnx_import.presets import choose_preprocessing
from training.onnx_import.signature import deduce_kind, find_ends


@dataclass(frozen=True)
class Tried:
    """A file, what was found out about it, and what it answered."""

    file: OnnxFile
    input: InputSpec
    rules: Preprocessing
    output: OutputSpec
    images: Images
    trial: Trial


def try_file(file: OnnxFile, choices: Choices) -> Tried:
    """Find out what the graph takes and gives, and run it on drawn images of its size."""
    source, target = find_ends(file.model.graph)
    spec = describe_input(source, choices)
    rules = choose_preprocessing(choices, spec)
    kind = choices.output or deduce_kind(file.model.graph, target.name)
    images = draw_images(spec.height, spec.width, spec.channels)
    trial = try_model(file.content, images, spec, rules, output=target, kind=kind)
    output = OutputSpec(target.name, "float32", kind, trial.probabilities.shape[1], choices.abstain_below)
    return Tried(file, spec, rules, output, images, trial)


_LIBRARIES = ("onnx", "onnxruntime", "numpy", "pillow")
_LEAST_TOLERANCE = 1e-7  # float32 tells probabilities apart by about this


@dataclass(frozen=True)
class Import:
    """Which file becomes a bundle, what its user said of it, and where the bundle goes."""

    path: Path
    choices: Choices
    repository: ModelRepository
    command: str


def import_model(job: Import) -> Path:
    """Publish a file as a version of a model; returns the bundle's folder.

    Raises InvalidModel, RepositoryError or OSError, and then the repository is as it was.
    """
    name = choose_name(job)
    tried = try_file(read_onnx(job.path), job.choices)
    metadata = _describe(job, name, tried)
    with staging(job.repository) as folder:
        (folder / MODEL).write_bytes(tried.file.content)
        probabilities = tried.trial.probabilities
        write_golden(folder, make_golden(tried.images, probabilities, choose_tolerance(probabilities)))
        return publish(job.repository, folder, metadata)


def choose_name(job: Import) -> str:
    """The model's name: the one given, or the file's."""
    name = job.choices.name or job.path.stem.lower()
    if not is_name(name):
        raise InvalidModel(f"{name!r} cannot be a model's name, which has only a-z, 0-9, - and _: give --name")
    return name


def choose_tolerance(probabilities: Probabilities) -> float:
    """The usual one, or a hundredth of what tells the images' answers apart where a thousand classes share them."""
    spread = float(np.ptp(probabilities, axis=0).max())
    return max(min(TOLERANCE, spread / 100), _LEAST_TOLERANCE)


def _describe(job: Import, name: str, tried: Tried) -> Metadata:
    layers, parameters = table_graph(tried.file.model, tried.images, tried.input, tried.rules)
    return Metadata(
        name=name,
        version=job.choices.version or job.repository.next_version(name),
        created=utc_now(),
        description=job.choices.description or f"Imported from {job.path.name}",
        input=tried.input,
        preprocessing=tried.rules,
        output=tried.output,
        labels=read_labels(job.choices.labels, tried.output.classes),
        layers=layers,
        parameters=parameters,
        training=_describe_source(job, tried.file),
        evaluation={},
        parity=tried.trial.to_json(),
        files={},
    )


def _describe_source(job: Import, file: OnnxFile) -> dict[str, Any]:
    return {
        "command": job.command,
        "imported": file.describe(),
        "versions": describe_versions(_LIBRARIES),
        "machine": describe_machine(),
    }

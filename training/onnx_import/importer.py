"""The import of an ONNX file: read it, describe its input and output, run it on drawn images, publish a bundle."""

from pathlib import Path

import numpy as np

from modelrepo.golden import write_golden
from modelrepo.metadata import Metadata, OutputSpec
from modelrepo.repository import MODEL, ModelRepository, is_name
from modelrepo.writer import publish, staging
from training.data.class_names import read_class_names
from training.environment import describe_machine, describe_versions, utc_now
from training.errors import InvalidModel
from training.evaluation.golden_images import TOLERANCE, draw_images, make_golden
from training.evaluation.metrics import Probabilities
from training.onnx_import.check import check_model
from training.onnx_import.image_input import describe_input
from training.onnx_import.layer_table import describe_layers
from training.onnx_import.onnx_file import read_onnx
from training.onnx_import.options import ImportOptions
from training.onnx_import.presets import choose_preprocessing
from training.onnx_import.signature import deduce_kind, read_signature

_LIBRARIES = ("onnx", "onnxruntime", "numpy", "pillow")
_MIN_TOLERANCE = 1e-7  # about the precision of probabilities in float32


def import_model(path: Path, options: ImportOptions, repository: ModelRepository, command: str) -> Path:
    """Publish an ONNX file as a version of a model; returns the bundle's folder.

    Raises InvalidModel, InvalidData, RepositoryError or OSError, and then the repository is unchanged.
    """
    name = choose_name(path, options)
    file = read_onnx(path)
    graph_input, graph_output = read_signature(file.model.graph)
    spec = describe_input(graph_input, options)
    contract = choose_preprocessing(options, spec)
    kind = options.output or deduce_kind(file.model.graph, graph_output.name)
    images = draw_images(spec.height, spec.width, spec.channels)
    check = check_model(file.content, images, spec, contract, output=graph_output, kind=kind)
    classes = check.probabilities.shape[1]
    layers, parameters = describe_layers(file.model, images, spec, contract)
    metadata = Metadata(
        name=name,
        version=options.version or repository.next_version(name),
        created=utc_now(),
        description=options.description or f"Imported from {path.name}",
        input=spec,
        preprocessing=contract,
        output=OutputSpec(graph_output.name, "float32", kind, classes, options.abstain_below),
        labels=choose_class_names(options, classes),
        layers=layers,
        parameters=parameters,
        training={
            "command": command,
            "imported": file.describe(),
            "versions": describe_versions(_LIBRARIES),
            "machine": describe_machine(),
        },
        evaluation={},
        parity=check.to_json(),
        files={},
    )
    with staging(repository) as folder:
        (folder / MODEL).write_bytes(file.content)
        write_golden(folder, make_golden(images, check.probabilities, choose_tolerance(check.probabilities)))
        return publish(repository, folder, metadata)


def choose_name(path: Path, options: ImportOptions) -> str:
    """The model's name: the option's, or the file's in lower case; raises InvalidModel where no model can have it."""
    name = options.name or path.stem.lower()
    if not is_name(name):
        raise InvalidModel(f"{name!r} cannot be a model's name, which has only a-z, 0-9, - and _: give --name")
    return name


def choose_class_names(options: ImportOptions, classes: int) -> tuple[str, ...]:
    """The names from the option's file, or the classes' numbers; raises InvalidData or OSError."""
    if options.class_names is None:
        return tuple(map(str, range(classes)))
    return read_class_names(options.class_names, classes)


def choose_tolerance(probabilities: Probabilities) -> float:
    """The tolerance for golden images: the usual one, or less where a thousand classes share the probability.

    At most a hundredth of the largest difference between two images' probabilities of a class, at least 1e-7.
    """
    spread = float(np.ptp(probabilities, axis=0).max())
    return max(min(TOLERANCE, spread / 100), _MIN_TOLERANCE)

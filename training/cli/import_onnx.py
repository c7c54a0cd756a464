"""The command `import`: a bundle of an ONNX file from elsewhere, without TensorFlow.

It has an option for each thing that a graph does not say of itself.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from modelrepo.metadata import FITS, INTERPOLATIONS, LAYOUTS, OUTPUT_KINDS, Metadata
from modelrepo.reader import read_metadata
from modelrepo.repository import ModelRepository
from training.cli.types import image_size, model_name, number, numbers, positive, probability, version_number
from training.environment import portable_command
from training.onnx_import.importer import import_model
from training.onnx_import.options import COLORS, ImportOptions
from training.onnx_import.presets import PRESETS


def add_import(parser: ArgumentParser) -> None:
    """Give the parser what the command needs."""
    parser.add_argument("model", type=Path, metavar="FILE.onnx", help="the model as its tool exported it")
    _add_bundle(parser)
    _add_preprocessing(parser)
    _add_graph(parser)
    parser.set_defaults(command=import_onnx)


def _add_bundle(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("the bundle")
    group.add_argument("--name", type=model_name, help="the model's name; the file's by default")
    group.add_argument("--version", type=version_number, help="its version; the next by default")
    group.add_argument("--models", type=Path, default=Path("models"), metavar="DIR", help="the model repository")
    group.add_argument("--description", metavar="TEXT", help="a sentence for people")
    group.add_argument(
        "--labels",
        type=Path,
        dest="class_names",
        metavar="FILE",
        help="class names, one a line, or JSON; numbers by default",
    )
    group.add_argument(
        "--abstain-below", type=probability, metavar="P", help="say of images of a smaller probability: not sure"
    )


def _add_preprocessing(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("how images become what the network was trained on")
    group.add_argument(
        "--preset", choices=PRESETS, help="usual preprocessing by name; the options below change parts of it"
    )
    group.add_argument("--scale", type=number, help="what pixels are multiplied by, such as 1/255")
    group.add_argument("--mean", type=numbers, metavar="R,G,B", help="then subtracted, one number or one a channel")
    group.add_argument("--std", type=numbers, metavar="R,G,B", help="then divided by, one number or one a channel")
    group.add_argument(
        "--color", choices=COLORS, help="the order of the channels; rgb by default where there are three"
    )
    group.add_argument("--fit", choices=FITS, help="what is done to images of another shape; crop by default")
    group.add_argument("--interpolation", choices=INTERPOLATIONS, help="how images are resized; bilinear by default")


def _add_graph(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("what the graph may leave open")
    group.add_argument("--layout", choices=LAYOUTS, help="the order of the input's axes")
    group.add_argument("--size", type=image_size, metavar="HEIGHTxWIDTH", help="the size of its images")
    group.add_argument("--batch", type=positive, help="run so many images at a time, where the graph takes any number")
    group.add_argument("--output", choices=OUTPUT_KINDS, help="what its numbers are")


def import_onnx(options: Namespace) -> int:
    """Import a file and tell what was read from it and what was assumed."""
    given = ImportOptions(**{field.name: getattr(options, field.name) for field in fields(ImportOptions)})
    command = portable_command(options.arguments)
    folder = import_model(options.model, given, ModelRepository(options.models), command)
    metadata = read_metadata(folder)
    print(f"Published {metadata.name} version {metadata.version} in {folder}")
    for head, text in _facts(metadata, options.class_names):
        print(f"  {head:<12} {text}")
    return 0


def _facts(metadata: Metadata, class_names: Path | None) -> Iterator[tuple[str, str]]:
    source, output = metadata.training["imported"], metadata.output
    opsets = ", ".join(f"{domain} {version}" for domain, version in source["opsets"].items())
    multiply_adds = sum(layer.multiply_adds for layer in metadata.layers)
    yield "file", f"{source['file']}, by {source['producer'] or 'an unnamed exporter'}, opset {opsets}"
    yield "input", _input(metadata)
    yield "pixels", _pixels(metadata)
    yield "images", _images(metadata)
    abstains = "" if output.abstain_below is None else f", abstains below {output.abstain_below:.6g}"
    yield "output", f"{output.name}: {output.kind} of {output.classes:,} classes{abstains}"
    default = "the classes' numbers, for no --labels were given"
    yield "labels", default if class_names is None else f"from {class_names.name}"
    yield "parameters", f"{metadata.parameters.total:,}, {multiply_adds:,} multiply-adds an image"
    yield "checked", _checked(metadata)


def _input(metadata: Metadata) -> str:
    spec = metadata.input
    sides = (spec.height, spec.width)
    axes = (spec.channels, *sides) if spec.layout == "NCHW" else (*sides, spec.channels)
    return f"{spec.name}: {spec.dtype} [{', '.join(map(str, (spec.batch or 'N', *axes)))}], {spec.layout}"


def _pixels(metadata: Metadata) -> str:
    rules = metadata.preprocessing
    if metadata.input.dtype == "uint8":
        return f"{rules.channel_order or rules.mode}, as they are"
    steps = [f"× {rules.scale:.6g}"] if rules.scale is not None else []
    steps += [f"− {_join(rules.mean)}"] if rules.mean is not None else []
    steps += [f"÷ {_join(rules.std)}"] if rules.std is not None else []
    return f"{rules.channel_order or rules.mode}, {', then '.join(steps)}"


def _images(metadata: Metadata) -> str:
    rules = metadata.preprocessing
    words = [f"fit {rules.fit}", f"interpolation {rules.interpolation}", *(["ink rule"] if rules.ink else [])]
    return ", ".join(words)


def _checked(metadata: Metadata) -> str:
    parity = metadata.parity
    return (
        f"{parity['images']} drawn images in ONNX Runtime, together and each by itself: "
        f"within {parity['largest_difference']:.1e}"
    )


def _join(values: tuple[float, ...]) -> str:
    """One number for all channels where they are equal, else one a channel."""
    return ", ".join(f"{value:.6g}" for value in (values[:1] if len(set(values)) == 1 else values))

"""The command `import`: a bundle of an ONNX file from elsewhere. It needs no TensorFlow."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from modelrepo.metadata import Metadata
from modelrepo.reader import read_metadata
from modelrepo.repository import ModelRepository
from training.environment import portable_command
from training.foreign.choices import Choices
from training.foreign.importing import Import, import_model


def import_onnx(options: Namespace) -> int:
    """Import a file and tell what was read from it and what was assumed."""
    choices = Choices(**{field.name: getattr(options, field.name) for field in fields(Choices)})
    job = Import(options.model, choices, ModelRepository(options.models), portable_command(options.arguments))
    folder = import_model(job)
    metadata = read_metadata(folder)
    print(f"Published {metadata.name} version {metadata.version} in {folder}")
    for head, text in _facts(metadata, choices.labels):
        print(f"  {head:<12} {text}")
    return 0


def _facts(metadata: Metadata, labels: Path | None) -> Iterator[tuple[str, str]]:
    source, output = metadata.training["imported"], metadata.output
    opsets = ", ".join(f"{domain} {version}" for domain, version in source["opsets"].items())
    multiply_adds = sum(layer.multiply_adds for layer in metadata.layers)
    yield "file", f"{source['file']}, by {source['producer'] or 'an unnamed exporter'}, opset {opsets}"
    yield "input", _input(metadata)
    yield "pixels", _pixels(metadata)
    yield "images", _images(metadata)
    abstains = "" if output.abstain_below is None else f", abstains below {output.abstain_below:.6g}"
    yield "output", f"{output.name}: {output.kind} of {output.classes:,} classes{abstains}"
    yield "labels", "the classes' numbers, for no --labels were given" if labels is None else f"from {labels.name}"
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

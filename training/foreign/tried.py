"""What an ONNX file turns out to be: read from its graph, chosen by its user, and tried on drawn images."""

from dataclasses import dataclass

from modelrepo.metadata import InputSpec, OutputSpec, Preprocessing
from training.datasets import Images
from training.foreign.choices import Choices
from training.foreign.ends import find_ends
from training.foreign.imageinput import describe_input
from training.foreign.onnxfile import OnnxFile
from training.foreign.outputkind import deduce_kind
from training.foreign.presets import choose_preprocessing
from training.foreign.trial import Trial, try_model
from training.goldenimages import draw_images


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

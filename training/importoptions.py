"""The options of `import`, one for each thing that a graph does not say of itself."""

from argparse import ArgumentParser
from pathlib import Path

from modelrepo.metadata import FITS, INTERPOLATIONS, LAYOUTS, OUTPUT_KINDS
from training.arguments import image_size, model_name, number, numbers, positive, probability, version_number
from training.foreign.imageinput import COLORS
from training.foreign.presets import PRESETS


def add_import(parser: ArgumentParser) -> None:
    """Give the parser what the command needs."""
    parser.add_argument("model", type=Path, metavar="FILE.onnx", help="the model as its tool exported it")
    _add_bundle(parser)
    _add_preprocessing(parser)
    _add_graph(parser)
    parser.set_defaults(command="importcommand:import_onnx")


def _add_bundle(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("the bundle")
    group.add_argument("--name", type=model_name, help="the model's name; the file's by default")
    group.add_argument("--version", type=version_number, help="its version; the next by default")
    group.add_argument("--models", type=Path, default=Path("models"), metavar="DIR", help="the model repository")
    group.add_argument("--description", metavar="TEXT", help="a sentence for people")
    group.add_argument("--labels", type=Path, metavar="FILE", help="a name a line, or JSON; numbers by default")
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

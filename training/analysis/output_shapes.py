"""Output sizes of convolutions and pooling layers: by the formula, in Keras, and in the exported graph."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx

from training.errors import InvalidNetwork, ShapesDiffer
from training.evaluation.onnx_inference import measure_tensors
from training.export.to_onnx import INPUT, to_onnx
from training.models.architectures import Textbook
from training.models.build import Network, build


def output_size(size: int, kernel: int, stride: int, padding: str) -> int:
    """⌊(W − F + P) / S⌋ + 1, where P is all the zeros added to the axis; notes that write 2P mean those of one side.

    W is the `size` of the input, F the `kernel`, S the `stride`; 0 where the kernel does not fit once. For pooling the
    window is the kernel. Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning",
    arXiv:1603.07285, relationship 6; the floor drops what is left over when the steps do not come out even.
    """
    added = sum(zeros_added(size, kernel, stride, padding))
    return max((size - kernel + added) // stride + 1, 0)


def zeros_added(size: int, kernel: int, stride: int, padding: str) -> tuple[int, int]:
    """Zeros before and after the axis: none for `valid`; for `same` so many that the output has ⌈W / S⌉ values.

    That takes max((⌈W/S⌉ − 1)·S + F − W, 0) of them together, which may be odd: then the end gets the one more. With as
    many on both sides instead, as other frameworks do it, the kernel would stand on other pixels. Source: "Notes on
    padding" in TensorFlow's documentation of the module `tf.nn`, on which Keras computes here.
    """
    if padding == "valid":
        return 0, 0
    steps = -(-size // stride)  # rounded up
    total = max((steps - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


Arithmetic = Callable[[int, int, int, str], int]  # size, kernel, stride and padding to the output's size
Sides = tuple[tuple[int, int], ...]  # height and width after each convolution and each pooling; empty where one is 0

_POOL = 2  # the textbook's window, and its stride
_CLASSES = 2  # the fewest that a softmax is for; they change no sides


@dataclass(frozen=True)
class Setting:
    """The settings of both convolutions of the textbook network."""

    kernel: int
    strides: int
    padding: str

    @property
    def architecture(self) -> Textbook:
        """The textbook network with these settings."""
        return Textbook(kernel_size=self.kernel, strides=self.strides, padding=self.padding)


# Kernels of 3, 5 and 7 are the usual ones, 1 adds no zeros, and the even 2 makes `same` uneven; 3 is the largest
# stride with which the textbook network on small images still leaves something.
SETTINGS = tuple(itertools.starmap(Setting, itertools.product((1, 2, 3, 5, 7), (1, 2, 3), ("same", "valid"))))


def check_shapes(image: tuple[int, int, int], setting: Setting, arithmetic: Arithmetic = output_size) -> Sides:
    """The sides by the formula; raises ShapesDiffer where Keras or the graph has others."""
    sides = apply_formula(image, setting, arithmetic)
    try:
        network = build(setting.architecture, image, _CLASSES, "shapes")
    except InvalidNetwork:
        _compare(setting, sides, (), "Keras")
        return sides
    _compare(setting, sides, _keras_sides(network), "Keras")
    _compare(setting, sides, _graph_sides(network), "the exported graph")
    return sides


def apply_formula(image: tuple[int, int, int], setting: Setting, arithmetic: Arithmetic = output_size) -> Sides:
    """The textbook network's sides: convolution, pooling, convolution, pooling."""
    layer, pool = (setting.kernel, setting.strides, setting.padding), (_POOL, _POOL, "valid")
    height, width, _ = image
    sides = []
    for window in (layer, pool, layer, pool):
        height, width = arithmetic(height, *window), arithmetic(width, *window)
        sides.append((height, width))
    return tuple(sides) if height * width else ()


def _keras_sides(network: Network) -> Sides:
    shapes = [layer.output.shape for layer in network.layers]
    return tuple((shape[1], shape[2]) for shape in shapes if len(shape) == 4)


def _graph_sides(network: Network) -> Sides:
    """Measured in ONNX Runtime, where images are [N, channels, height, width] inside of the graph."""
    model = onnx.load_from_string(to_onnx(network))
    tensors = measure_tensors(model, INPUT, [np.zeros((1, *network.input_shape[1:]), np.uint8)])[0]
    shapes = [tensors[node.output[0]].shape for node in model.graph.node if node.op_type in {"Conv", "MaxPool"}]
    return tuple((shape[2], shape[3]) for shape in shapes)


def _compare(setting: Setting, formula: Sides, actual: Sides, where: str) -> None:
    if formula != actual:
        raise ShapesDiffer(
            f"kernel {setting.kernel}, stride {setting.strides}, padding {setting.padding}: the formula gives "
            f"{describe_sides(formula)}, but {where} has {describe_sides(actual)}"
        )


def describe_sides(sides: Sides) -> str:
    """The sides as text: 28×28 → 14×14."""
    return " → ".join(f"{height}×{width}" for height, width in sides) or "nothing"

"""A network of `keras.applications` with ImageNet's size and classes, exported as its users export it."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from onnx import TensorProto, helper, numpy_helper

from tests.support.images.drawn import Pixels

INPUT, OUTPUT = "input_layer", "predictions"
SHARPNESS = 4.0  # of the last layer: random weights alone would give every class a thousandth
SEED = 3  # with which these images get several labels


def mobilenet(images: Pixels) -> Any:
    """MobileNetV2 with random weights, with the statistics of these images, so that their classes differ."""
    keras.utils.set_random_seed(SEED)
    network = keras.applications.MobileNetV2(weights=None)
    rng = np.random.default_rng(SEED)
    normalisations = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in normalisations:
        layer.momentum = 0.0  # takes over the batch's statistics at once
        layer.gamma.assign(rng.uniform(0.8, 1.2, layer.gamma.shape))
        layer.beta.assign(rng.normal(0, 0.2, layer.beta.shape))
    network(to_unit(images), training=True)
    network.layers[-1].kernel.assign(network.layers[-1].kernel * SHARPNESS)
    network.layers[-1].bias.assign(rng.normal(0, 0.2, network.layers[-1].bias.shape))
    return network


def to_unit(images: Pixels) -> Any:
    """Keras's own preprocessing for this family: −1 to 1."""
    return keras.applications.mobilenet_v2.preprocess_input(images.astype(np.float32))


def export(network: Any) -> bytes:
    """ONNX by tf2onnx, with the input as Keras has it: floats in NHWC."""
    signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name=INPUT)]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]  # TensorFlow is untyped
    def serve(image: Any) -> dict[str, Any]:
        return {OUTPUT: network(image)}

    model, _ = tf2onnx.convert.from_function(serve, input_signature=signature, opset=18)
    return bytes(model.SerializeToString())


def unfolded(network: Any) -> bytes:
    """The same network as other frameworks export it: NCHW, logits, and no layer folded into another."""
    nodes, stored = [], []
    for layer in network.layers[1:]:
        weights = {f"{layer.name}.{place}": values for place, values in enumerate(_in_nchw(layer))}
        stored += [numpy_helper.from_array(values, name) for name, values in weights.items()]
        sources = layer.input if isinstance(layer.input, list) else [layer.input]
        operation, attributes = _in_onnx(layer)
        inputs = [tensor.name for tensor in sources] + list(weights)
        nodes.append(helper.make_node(operation, inputs, [layer.output.name], layer.name, **attributes))
    pooled, dense = nodes[-2].output[0], nodes[-1]
    nodes.insert(-1, helper.make_node("Flatten", [pooled], ["flat"], "flatten"))
    dense.input[0] = "flat"
    axes = ["N", 3, *network.input_shape[1:3]], ["N", network.output_shape[-1]]
    names = network.input.name, dense.output[0]
    source, target = (
        helper.make_tensor_value_info(*end) for end in zip(names, [TensorProto.FLOAT] * 2, axes, strict=True)
    )
    graph = helper.make_graph(nodes, "torch_jit", [source], [target], stored)
    made = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    return bytes(made.SerializeToString())


def _in_onnx(layer: Any) -> tuple[str, dict[str, Any]]:
    """The operation and its attributes; a layer that is not listed has the same name in ONNX."""
    kind = type(layer).__name__
    operations = {
        "Conv2D": "Conv",
        "DepthwiseConv2D": "Conv",
        "ReLU": "Clip",
        "ZeroPadding2D": "Pad",
        "Dense": "Gemm",
        "GlobalAveragePooling2D": "GlobalAveragePool",
    }
    attributes: dict[str, Any] = {"Dense": {"transB": 1}}.get(kind, {})
    if operations.get(kind) == "Conv":
        padding = {"same": "SAME_UPPER", "valid": "VALID"}[layer.padding]
        groups = layer.input.shape[-1] if kind == "DepthwiseConv2D" else 1
        attributes = {"group": groups, "strides": list(layer.strides), "auto_pad": padding}
    if kind == "BatchNormalization":
        attributes = {"epsilon": layer.epsilon}
    return operations.get(kind, kind), attributes


def _in_nchw(layer: Any) -> list[Any]:
    """A layer's weights in ONNX's order of axes, and the settings that ONNX takes as inputs."""
    weights = layer.get_weights()
    match type(layer).__name__:
        case "Conv2D":
            return [weights[0].transpose(3, 2, 0, 1)]
        case "DepthwiseConv2D":
            return [weights[0].transpose(2, 3, 0, 1)]
        case "Dense":
            return [weights[0].T, weights[1]]
        case "ReLU":
            return [np.array(0, np.float32), np.array(layer.max_value, np.float32)]
        case "ZeroPadding2D":
            (top, bottom), (left, right) = layer.padding
            return [np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)]
        case _:
            return list(weights)

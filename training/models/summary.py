"""The table of layers of a Keras network, as the bundle's metadata records it."""

import math
from typing import Any

from modelrepo.metadata import Layer, ParameterCounts
from training.models.build import Network
from training.models.flip_tta import Mirror


def table_layers(network: Network) -> tuple[Layer, ...]:
    """One row a layer, in the order in which they are applied; a mirrored network computes two images for one."""
    images = 2 if any(isinstance(layer, Mirror) for layer in network.layers) else 1
    return tuple(_row(layer, images) for layer in network.layers)


def count_parameters(network: Network) -> ParameterCounts:
    """Weights of the network, without the optimizer's."""
    trainable = sum(math.prod(weight.shape) for weight in network.trainable_weights)
    total: int = network.count_params()
    return ParameterCounts(total, trainable, total - trainable)


def _row(layer: Any, images: int) -> Layer:
    return Layer(
        name=layer.name,
        type=type(layer).__name__,
        output_shape=tuple(layer.output.shape),
        parameters=layer.count_params(),
        multiply_adds=images * _multiply_adds(layer),
        activation=getattr(getattr(layer, "activation", None), "__name__", None),
        filters=getattr(layer, "filters", None),
        kernel_size=_sizes(layer, "kernel_size"),
        pool_size=_sizes(layer, "pool_size"),
        strides=_sizes(layer, "strides"),
        padding=getattr(layer, "padding", None),
    )


def _multiply_adds(layer: Any) -> int:
    """For one image: every output value of a convolution or a dense layer costs one for each weight it sees."""
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        return 0
    places = math.prod(layer.output.shape[1:-1])  # 1 for a dense layer
    return int(places * math.prod(kernel.shape))


def _sizes(layer: Any, name: str) -> tuple[int, ...] | None:
    value = getattr(layer, name, None)
    return None if value is None else tuple(value)

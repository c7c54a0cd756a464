"""Starting from an earlier network instead of from weights drawn at random."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from modelrepo.reader import read_bundle
from training.architectures import Architecture
from training.errors import InvalidNetwork
from training.graphweights import load_bundle
from training.mirror import Mirror, MirrorAverage
from training.networks import Network
from training.saving import load_network

# A network learns without the mirror that a file of it may have: what these layers do needs no weights.
_PASSED_OVER = (keras.layers.InputLayer, Mirror, MirrorAverage)


@dataclass(frozen=True)
class Start:
    """An earlier network, the names of its classes where they are known, and what the metadata says of it."""

    network: Network
    labels: tuple[str, ...] | None = None
    origin: dict[str, Any] = field(default_factory=dict)


def read_start(path: Path, architecture: Architecture) -> Start:
    """A bundle's folder or a `.keras` file; raises InvalidNetwork or what `read_bundle` raises."""
    if path.is_dir():
        bundle = read_bundle(path)
        told = bundle.metadata
        origin = {"name": told.name, "version": told.version, "sha256": bundle.digest}
        return Start(load_bundle(bundle, architecture), told.labels, origin)
    network = load_network(path)
    return Start(network, origin={"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})


def take_over(start: Start, network: Network, labels: tuple[str, ...], *, freeze: bool) -> None:
    """Set a new network's weights to the earlier one's; raises InvalidNetwork where the two are not alike.

    The last layer that has weights, the head, keeps its random ones where it stands for other classes: of other names,
    or where those are not known, of another number. `freeze` lets nothing but the head learn.
    """
    if network.input_shape[1:] != start.network.input_shape[1:]:
        raise InvalidNetwork(
            f"the network to start from takes images of {_size(start.network)}, the recipe's {_size(network)}: "
            "take a recipe whose images have that size"
        )
    (body, end), (their_body, their_end) = _split(network), _split(start.network)
    if _looks(body) != _looks(their_body) or list(map(type, end)) != list(map(type, their_end)):
        raise InvalidNetwork(
            "the network to start from has another architecture than the recipe's: take its own recipe"
        )
    for layer, earlier in zip(body, their_body, strict=True):
        layer.set_weights(earlier.get_weights())
        layer.trainable = not freeze
    if _looks(end) == _looks(their_end) and start.labels in (None, labels):
        end[0].set_weights(their_end[0].get_weights())


def _split(network: Network) -> tuple[list[Any], list[Any]]:
    """The layers before the head, and the head with what follows it, such as a softmax."""
    layers = [layer for layer in network.layers if not isinstance(layer, _PASSED_OVER)]
    head = max((position for position, layer in enumerate(layers) if layer.weights), default=len(layers))
    return layers[:head], layers[head:]


def _looks(layers: list[Any]) -> list[tuple[Any, ...]]:
    return [(type(layer), layer.output.shape, [weight.shape for weight in layer.weights]) for layer in layers]


def _size(network: Network) -> str:
    return "×".join(map(str, network.input_shape[1:]))

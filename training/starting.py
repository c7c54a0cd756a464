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
from training.networks import Network
from training.saving import load_network


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

    The last layer, the head, keeps its random weights where it stands for other classes: of other names, or where those
    are not known, of another number. `freeze` lets nothing but the head learn.
    """
    if network.input_shape[1:] != start.network.input_shape[1:]:
        raise InvalidNetwork(
            f"the network to start from takes images of {_size(start.network)}, the recipe's {_size(network)}: "
            "take a recipe whose images have that size"
        )
    ours, theirs = _layers(network), _layers(start.network)
    if [_look(layer) for layer in ours[:-1]] != [_look(layer) for layer in theirs[:-1]]:
        raise InvalidNetwork(
            "the network to start from has another architecture than the recipe's: take its own recipe"
        )
    kept = len(ours) if _same_classes(start, ours[-1], theirs[-1], labels) else -1
    for layer, earlier in zip(ours[:kept], theirs[:kept], strict=True):
        layer.set_weights(earlier.get_weights())
    if freeze:
        for layer in ours[:-1]:
            layer.trainable = False


def _layers(network: Network) -> list[Any]:
    return [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]


def _look(layer: Any) -> tuple[Any, ...]:
    return type(layer).__name__, tuple(layer.output.shape), [tuple(weight.shape) for weight in layer.weights]


def _same_classes(start: Start, head: Any, earlier: Any, labels: tuple[str, ...]) -> bool:
    alike = _look(head) == _look(earlier)
    return alike and start.labels in (None, labels)


def _size(network: Network) -> str:
    return "×".join(map(str, network.input_shape[1:]))

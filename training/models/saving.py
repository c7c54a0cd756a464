"""Keras's own files of networks, written whole or not at all."""

from pathlib import Path

import keras

from training.errors import InvalidNetwork
from training.files import replacing
from training.models.build import Network

SUFFIX = ".keras"


def save_network(network: Network, path: Path) -> None:
    """Write a network to a `.keras` file, which gets its name only once it is complete."""
    with replacing(path) as partial:
        network.save(partial)


def load_network(path: Path) -> Network:
    """Read a `.keras` file; raises InvalidNetwork where it is missing or is not one."""
    if path.suffix != SUFFIX or not path.is_file():
        raise InvalidNetwork(f"{path} is not a {SUFFIX} file: give one that `train --save` or Keras wrote")
    try:
        return keras.saving.load_model(path)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InvalidNetwork(f"{path} cannot be loaded by Keras: {error}") from error

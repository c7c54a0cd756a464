from pathlib import Path

import numpy as np

from training.models.architectures import Textbook
from training.models.build import build
from training.models.saving import load_network, save_network
from training.models.textbook import MinPooling2D


def test_minimum_pooling_takes_the_smallest_value_of_each_window() -> None:
    images = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    images[0, 3, 3, 0] = -5

    pooled = np.asarray(MinPooling2D()(images))

    assert pooled[0, ..., 0].tolist() == [[0, 2], [8, -5]]


def test_minimum_pooling_with_padding_sees_no_zeros() -> None:
    pooled = np.asarray(MinPooling2D(padding="same")(np.full((1, 3, 3, 1), 7, np.float32)))

    assert pooled.shape == (1, 2, 2, 1)
    assert (pooled == 7).all()


def test_a_network_with_minimum_pooling_can_be_saved_and_loaded(tmp_path: Path) -> None:
    network = build(Textbook(pooling="min"), (28, 28, 1), 10, "network")
    image = np.random.default_rng(1).random((1, 28, 28, 1), np.float32)

    save_network(network, tmp_path / "network.keras")
    loaded = load_network(tmp_path / "network.keras")

    assert np.array_equal(network.predict(image, verbose=0), loaded.predict(image, verbose=0))
    assert [path.name for path in tmp_path.iterdir()] == ["network.keras"]

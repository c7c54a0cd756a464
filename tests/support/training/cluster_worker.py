"""A process that trains with others: `python -m tests.support.training.cluster_worker DATA.npz FOLDER`.

TF_CONFIG says which process of the cluster it is. It writes its weights to FOLDER and trains once more.
In the second training, all processes but the chief exit in the second step; the chief writes its error to FOLDER.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from training.data.load import read_dataset
from training.data.splits import split_validation
from training.engine.checkpoint import Checkpoint
from training.engine.distributed.cluster import Cluster, read_cluster
from training.engine.distributed.multi_worker import MultiWorker
from training.engine.distributed.strategy import Distribution
from training.engine.trainer import Fit, build_serving_model, compile_model, fit, seed_everything
from training.errors import WorkerLost
from training.models.architectures import Textbook
from training.models.build import Network
from training.recipes import RECIPES, Augmentation

# 107 images are learned from, so that the last batch has 11, which two processes cannot share evenly. Few filters and
# steps: where a sum that is rounded otherwise tips a ReLU from one side to the other, a gradient changes by a leap.
RECIPE = replace(
    RECIPES["mnist"],
    architecture=Textbook(pooling="average", filters=(4, 8)),
    augmentation=Augmentation(shift=2, cutout=8),
    epochs=1,
    validation_split=13 / 120,
)


def train_once(
    data: Path, distribution: Distribution, *callbacks: Any, checkpoint: Checkpoint | None = None
) -> tuple[Network, Fit]:
    """Train the recipe's network on the data."""
    seed_everything(RECIPE.seed)
    dataset = read_dataset(RECIPE.dataset, data)
    train, validation = split_validation(dataset, RECIPE.validation_split, RECIPE.seed)
    network = build_serving_model(RECIPE, "network")
    compile_model(network, RECIPE, train, distribution)
    options: Any = {"checkpoint": checkpoint, "callbacks": callbacks, "distribution": distribution}
    return network, fit(network, RECIPE, train, validation, **options)


class ExitInSecondStep(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """Ends the process as a crash does."""

    def on_train_batch_end(self, batch: int, *_: object, **__: object) -> None:
        if batch == 1:
            os._exit(3)


def main(data: Path, folder: Path, cluster: Cluster) -> None:
    """Train twice, as the module says."""
    workers = MultiWorker(cluster)
    network, fitted = train_once(data, workers)
    np.savez(folder / f"{cluster.index}.npz", *network.get_weights())
    (folder / f"{cluster.index}.json").write_text(json.dumps(fitted.history))
    try:
        train_once(data, workers, *([] if workers.chief else [ExitInSecondStep()]))
    except WorkerLost as error:
        (folder / "lost.txt").write_text(str(error))


if __name__ == "__main__":
    found = read_cluster(os.environ["TF_CONFIG"])
    assert found is not None
    main(Path(sys.argv[1]), Path(sys.argv[2]), found)

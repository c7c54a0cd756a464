from typing import Any

import numpy as np
import pytest

from training.engine.distributed.multi_worker import SyncEpoch
from training.models.architectures import ResNet9
from training.models.build import build


def test_the_figures_of_all_processes_become_everybodys() -> None:
    logs = {"loss": 1.0, "accuracy": 0.5, "val_loss": 3.0}

    make(lambda tensors: [tensor + 1 for tensor in tensors]).on_epoch_end(0, logs)

    assert logs == {"loss": pytest.approx(2), "accuracy": pytest.approx(1.5), "val_loss": 3.0}


def test_running_statistics_are_shared_after_the_last_batch_of_an_epoch() -> None:
    agreement = make(lambda tensors: [tensor + 1 for tensor in tensors])
    agreement.set_model(build(ResNet9(stages=((2,),)), (8, 8, 1), 3, "network"))
    norm = agreement.model.get_layer("norm1_1")

    agreement.on_train_batch_end(0)
    before = np.array(norm.moving_mean).tolist()
    agreement.on_train_batch_end(1)

    assert (before, np.array(norm.moving_mean).tolist()) == ([0, 0], [1, 1])


def make(mean: Any) -> SyncEpoch:
    """For epochs of two batches; `mean` stands for the other processes."""
    return SyncEpoch(2, mean, mean)

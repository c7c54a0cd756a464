from inspect import signature
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from training.data.download import download
from training.data.specs import CIFAR10, CIFAR100, CIFAR100_COARSE, DatasetSpec
from training.data.splits import Dataset, Images, Labels
from training.errors import InvalidData


def test_keras_arrays_become_a_data_set(dataset: Dataset) -> None:
    train, test = dataset.train, dataset.test
    arrays = (train.images[..., 0], train.labels), (test.images[..., 0], test.labels)
    datasets = SimpleNamespace(mnist=SimpleNamespace(load_data=lambda: arrays))

    downloaded = download(dataset.spec, datasets)

    assert (downloaded.train.digest, downloaded.test.digest) == (train.digest, test.digest)


@pytest.mark.parametrize(
    ("spec", "module", "options"),
    [
        pytest.param(CIFAR10, "cifar10", {}, id="no options"),
        pytest.param(CIFAR100, "cifar100", {}, id="fine by default"),
        pytest.param(CIFAR100_COARSE, "cifar100", {"label_mode": "coarse"}, id="coarse"),
    ],
)
def test_the_coarse_labels_are_requested_from_keras(spec: DatasetSpec, module: str, options: dict[str, str]) -> None:
    asked: list[dict[str, str]] = []

    def load_data(**given: str) -> tuple[tuple[Images, Labels], ...]:
        asked.append(given)
        return ((np.zeros((2, 32, 32, 3), np.uint8), np.array([[0], [1]])),) * 2

    downloaded = download(spec, SimpleNamespace(**{module: SimpleNamespace(load_data=load_data)}))

    assert asked == [options]
    assert downloaded.spec is spec


def test_keras_takes_the_option_by_this_name() -> None:
    assert signature(keras.datasets.cifar100.load_data).parameters["label_mode"].default == "fine"


def test_an_unreachable_server_is_explained(dataset: Dataset) -> None:
    def fail() -> None:
        raise Exception("URL fetch failure")  # noqa: TRY002  # as Keras does

    with pytest.raises(InvalidData, match=r"cannot be downloaded \(URL fetch failure\): give local files by --data"):
        download(dataset.spec, SimpleNamespace(mnist=SimpleNamespace(load_data=fail)))

from types import SimpleNamespace

import pytest

from training.datasets import Dataset
from training.download import download
from training.errors import InvalidData


def test_what_keras_gives_becomes_a_data_set(dataset: Dataset) -> None:
    train, test = dataset.train, dataset.test
    arrays = (train.images[..., 0], train.labels), (test.images[..., 0], test.labels)
    datasets = SimpleNamespace(mnist=SimpleNamespace(load_data=lambda: arrays))

    downloaded = download(dataset.spec, datasets)

    assert (downloaded.train.digest, downloaded.test.digest) == (train.digest, test.digest)


def test_a_server_out_of_reach_is_explained(dataset: Dataset) -> None:
    def fail() -> None:
        raise Exception("URL fetch failure")  # noqa: TRY002  # as Keras does

    with pytest.raises(InvalidData, match=r"cannot be downloaded \(URL fetch failure\): give local files by --data"):
        download(dataset.spec, SimpleNamespace(mnist=SimpleNamespace(load_data=fail)))

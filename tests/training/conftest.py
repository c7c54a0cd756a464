"""Small data sets drawn for the tests, in every form that training reads, and runs that train on them."""

import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modelrepo.repository import ModelRepository
from preprocessing.png import encode_png
from training.data.specs import MNIST, DatasetSpec
from training.data.splits import Dataset, Split
from training.recipes import RECIPES
from training.run import Run
from training.train import train


@pytest.fixture
def spec() -> DatasetSpec:
    return MNIST


@pytest.fixture
def dataset(spec: DatasetSpec) -> Dataset:
    """Squares whose place tells the class, in the order of classes, as a folder has them."""
    return draw_dataset(spec)


@pytest.fixture
def repository(tmp_path: Path) -> ModelRepository:
    return ModelRepository(tmp_path / "models")


@pytest.fixture
def run(dataset: Dataset, repository: ModelRepository) -> Run:
    return make_run(dataset, repository)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the bundle of a finished run; not to be changed."""
    repository = ModelRepository(tmp_path_factory.mktemp("trained"))
    train(make_run(draw_dataset(MNIST), repository))
    return repository.root


@pytest.fixture
def bundle(trained: Path, repository: ModelRepository) -> Path:
    """The bundle of a finished run, in the test's own repository."""
    shutil.copytree(trained, repository.root)
    return repository.path("digits", 1)


@pytest.fixture
def arrays(dataset: Dataset, tmp_path: Path) -> Path:
    """The data set as one of Keras's `.npz` files."""
    return save_arrays(dataset, tmp_path / "digits.npz")


@pytest.fixture
def folder(dataset: Dataset, tmp_path: Path) -> Path:
    """The data set as a folder of class folders."""
    for name, split in (("train", dataset.train), ("test", dataset.test)):
        for position, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
            path = tmp_path / "digits" / name / dataset.spec.class_names[label] / f"{position:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_png(image))
    return tmp_path / "digits"


@pytest.fixture
def archive(folder: Path) -> Path:
    """The folder in a `.tar.gz`."""
    path = folder.with_suffix(".tar.gz")
    with tarfile.open(path, "w:gz") as stored:
        for part in ("test", "train"):
            stored.add(folder / part, part)
    return path


@pytest.fixture(params=["arrays", "folder", "archive"])
def source(request: pytest.FixtureRequest) -> Path:
    """The data set in each form."""
    path: Path = request.getfixturevalue(request.param)
    return path


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Every file below a folder, hidden ones too."""
    return lambda folder: {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def save_arrays(dataset: Dataset, path: Path) -> Path:
    np.savez(
        path,
        x_train=dataset.train.images[..., 0],
        y_train=dataset.train.labels.astype(np.uint8),
        x_test=dataset.test.images[..., 0],
        y_test=dataset.test.labels.astype(np.uint8),
    )
    return path


def make_run(dataset: Dataset, repository: ModelRepository) -> Run:
    recipe = replace(RECIPES["mnist"], epochs=1)
    return Run(recipe, dataset, repository, "digits", "python -m training train mnist")


def draw_dataset(spec: DatasetSpec) -> Dataset:
    return Dataset(spec, draw_split(spec, 12, seed=1), draw_split(spec, 4, seed=2))


def draw_split(spec: DatasetSpec, per_class: int, seed: int) -> Split:
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(spec.class_names)), per_class)
    images = random.integers(0, 60, (len(labels), *spec.shape), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 + 5 * (label // 3) : 8 + 5 * (label // 3), 2 + 8 * (label % 3) : 9 + 8 * (label % 3)] = 250
    return Split(images, labels)

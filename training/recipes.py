"""Recipes: everything that makes a training run, every number with its reason."""

from dataclasses import dataclass

from modelrepo.metadata import Preprocessing
from training.datasets import CIFAR10, MNIST, DatasetSpec


@dataclass(frozen=True)
class Recipe:
    """One way to train one network on one data set."""

    name: str
    description: str
    dataset: DatasetSpec
    preprocessing: Preprocessing
    learning_rate: float
    momentum: float = 0.0  # plain SGD, as the textbook says
    filters: tuple[int, int] = (32, 64)  # the textbook's, of the first and of the second convolution
    pooling: str = "max"
    strides: int = 1
    padding: str = "same"
    epochs: int = 5  # the textbook's run, with which the figures are compared
    batch_size: int = 32  # likewise
    seed: int = 1  # the first; docs/training.md tells what the next ones give
    validation: float = 0.1  # of the training images, held out for the curves: the test split is looked at once


_MNIST = Recipe(
    name="mnist",
    description="Handwritten digits, 0 to 9, from 28×28 grayscale images",
    dataset=MNIST,
    preprocessing=Preprocessing(
        mode="grayscale",
        fit="pad",  # a digit keeps its aspect; MNIST's own were fitted into a square
        interpolation="area",  # averages thin strokes instead of skipping over them, as MNIST's authors' scaling did
        alpha="contrast",  # transparent drawings come as black ink and as white ink
        exif_orientation=True,  # a photograph's digit must stand upright
        ink=True,
    ),
    # Of 0.01 (Keras's default), 0.05 and 0.1, compared on images held out of the training split: 97.5, 98.4, 98.5 %.
    learning_rate=0.1,
)

_CIFAR10 = Recipe(
    name="cifar10",
    description="Ten kinds of animals and vehicles, from 32×32 colour images",
    dataset=CIFAR10,
    preprocessing=Preprocessing(
        mode="rgb",
        fit="crop",  # CIFAR's objects fill the square; bars would be a feature that it never saw
        interpolation="bicubic",  # the usual choice for shrinking photographs, and smooth where it enlarges
        alpha="white",  # the paper of most cut-out pictures
        exif_orientation=True,  # photographs come from phones
        ink=False,
    ),
    # Of plain SGD at 0.01, 0.05 and 0.1 and of momentum 0.9 at 0.01 and 0.02, compared on images held out of the
    # training split: 49.9, 55.4, 57.3, 61.4 and 57.6 %. Momentum covers more ground in the few steps of five epochs.
    learning_rate=0.01,
    momentum=0.9,
)

RECIPES = {recipe.name: recipe for recipe in (_MNIST, _CIFAR10)}

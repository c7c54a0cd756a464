"""Recipes: everything that makes a training run, every number with its reason."""

from dataclasses import dataclass, replace

from modelrepo.metadata import Preprocessing
from training.data.drawn.draw import Drawn
from training.data.specs import CIFAR10, CIFAR100, CIFAR100_COARSE, IMAGE_FOLDER, IMAGENET, MNIST, DatasetSpec
from training.models.architectures import Architecture, ResNet, ResNet9, Textbook


@dataclass(frozen=True)
class Augmentation:
    """Bounds of what is drawn anew for every image in every epoch; nothing by default."""

    flip: bool = False  # left for right, every second image
    shift: float = 0.0  # pixels, to each side
    rotate: float = 0.0  # degrees, to each side
    zoom: float = 0.0  # share of the size, larger and smaller
    shear: float = 0.0  # how far a column leans, as a share of its height
    crop: float = (
        0.0  # smallest share of the area that is cut out and enlarged, up to a third wider or higher; 0 is off
    )
    cutout: int = 0  # side in pixels of a square that is covered with black
    fill: str = "constant"  # what lies beyond the edge: constant (black) or reflect (the image mirrored)


_TEXTBOOK = Textbook()
_AS_THEY_ARE = Augmentation()
_NONE = Drawn()


@dataclass(frozen=True)
class Recipe:
    """One way to train one network on one data set."""

    name: str
    description: str
    dataset: DatasetSpec
    preprocessing: Preprocessing
    learning_rate: float  # the highest, where a schedule changes it
    model: str = ""  # what the result is published as; the recipe's name where this is empty
    architecture: Architecture = _TEXTBOOK
    augmentation: Augmentation = _AS_THEY_ARE
    drawn: Drawn = _NONE  # digits and outliers that are learned beside the data set's training images
    momentum: float = 0.0  # plain SGD, as the textbook says
    nesterov: bool = False  # momentum that looks a step ahead
    schedule: str = "constant"  # or cosine: up in a straight line during the warm-up, then down to nothing
    warmup: float = 0.0  # share of all steps
    weight_decay: float = 0.0  # of convolutions' and dense weights, a step, times the learning rate
    label_smoothing: float = 0.0  # share of the truth that is spread over all classes
    ema_momentum: float = 0.0  # how much of the running mean of the weights a step keeps; 0 for no averaging
    flip_tta: bool = False  # whether the served network computes the mean of an image and its mirror image
    precision: str = "float32"  # or mixed_bfloat16, in which the convolutions are computed while the network learns
    epochs: int = 5  # the textbook's run, with which the figures are compared
    batch_size: int = 32  # likewise
    seed: int = 1  # the first; docs/training/recipes.md has the results of the next ones
    # Classes are weighted where the largest has more than so many times the images of the smallest; 0: never.
    class_weight_threshold: float = 0.0
    image_folder: bool = False  # trains on any folder of images: the data set above gives the size alone
    # Of the validation images with a right answer, abstained from because their outlier score is too high; 0: never.
    outlier_share: float = 0.02
    outlier_score: str = "distance"  # or energy, for a network that learns from outliers what belongs to no class
    validation_split: float = 0.1  # of the training images, held out for the curves: the test split is looked at once


_DIGITS = Preprocessing(
    mode="grayscale",
    fit="pad",  # a digit keeps its aspect; MNIST's own were fitted into a square
    interpolation="area",  # averages thin strokes instead of skipping over them, as MNIST's authors' scaling did
    alpha="contrast",  # transparent drawings come as black ink and as white ink
    exif_orientation=True,  # a photograph's digit must stand upright
    ink=True,
)

_PHOTOGRAPHS = Preprocessing(
    mode="rgb",
    fit="crop",  # CIFAR's objects fill the square; bars would be a feature that it never saw
    interpolation="bicubic",  # the usual choice for shrinking photographs, and smooth where it enlarges
    alpha="white",  # the paper of most cut-out pictures
    exif_orientation=True,  # photographs come from phones
    ink=False,
)

_MNIST = Recipe(
    name="mnist",
    description="Handwritten digits, 0 to 9, from 28×28 grayscale images",
    dataset=MNIST,
    preprocessing=_DIGITS,
    # Of 0.01 (Keras's default), 0.05 and 0.1, compared on images held out of the training split: 97.5, 98.4, 98.5 %.
    learning_rate=0.1,
    outlier_share=0.005,  # half of the 1 % of its test images that a model of digits may abstain from
)

_CIFAR10 = Recipe(
    name="cifar10",
    description="Ten kinds of animals and vehicles, from 32×32 colour images",
    dataset=CIFAR10,
    preprocessing=_PHOTOGRAPHS,
    # Of plain SGD at 0.01, 0.05 and 0.1 and of momentum 0.9 at 0.01 and 0.02, compared on images held out of the
    # training split: 49.9, 55.4, 57.3, 61.4 and 57.6 %. Momentum covers more ground in the few steps of five epochs.
    learning_rate=0.01,
    momentum=0.9,
    outlier_share=0.04,  # with less, too many pictures of digits would get the name of an animal
)

_MNIST_STRONG = Recipe(
    name="mnist-strong",
    description=_MNIST.description,
    dataset=MNIST,
    preprocessing=_DIGITS,
    model="mnist",
    # Most of the work at 14×14 and 7×7: a second convolution at 28×28 would cost as much as all of these.
    architecture=ResNet9(stages=((32,), (64, 64, 64))),
    # What handwriting does by itself; not flipped, which would make other characters of digits.
    augmentation=Augmentation(shift=2, rotate=10, zoom=0.1, shear=0.1),
    drawn=Drawn(digits=0.2, outliers=0.25),
    outlier_share=0.003,  # with 0.004, 3 % of the photographed digits that are right
    outlier_score="energy",
    learning_rate=0.1,  # the textbook recipe's; batch normalisation bears it with momentum, too
    momentum=0.9,
    nesterov=True,
    schedule="cosine",
    warmup=0.1,  # two epochs, until the running statistics mean something
    weight_decay=1e-3,  # with this rate and momentum what is usually written as an L2 penalty of 1e-4
    epochs=22,  # with the drawn images as many steps as 32 without them
    batch_size=128,  # a quarter of the steps of 32, each hardly slower
    validation_split=0.04,  # 2,400 images are enough for the curve, and the network learns from the rest
)

_CIFAR10_STRONG = Recipe(
    name="cifar10-strong",
    description=_CIFAR10.description,
    dataset=CIFAR10,
    preprocessing=_PHOTOGRAPHS,
    model="cifar10",
    # Eleven times the textbook's time for one image, so that an image and its mirror image stay below 25.
    architecture=ResNet9(stem=24, stages=((48, 48, 48), (128, 128, 128), (224, 224, 224)), activation="silu"),
    outlier_share=_CIFAR10.outlier_share,
    flip_tta=True,  # 0.9 points for twice the time, and none while it learns
    # Animals and vehicles look left or right, and stand anywhere; a covered part makes the rest count.
    augmentation=Augmentation(flip=True, shift=4, rotate=10, zoom=0.1, cutout=8, fill="reflect"),
    learning_rate=0.3,
    momentum=0.9,
    nesterov=True,
    schedule="cosine",
    warmup=0.1,
    weight_decay=5e-3,  # with this rate and momentum what is usually written as an L2 penalty of 5e-4
    label_smoothing=0.1,  # the usual tenth
    precision="mixed_bfloat16",  # learns twice as many images a second here
    epochs=60,
    batch_size=256,  # larger ones were no faster here
    validation_split=0.04,  # 2,000 images for the curve and the temperature
)

# CIFAR-100 has as many images of the same kind and size, so the numbers should hold; they were not compared on it.
_CIFAR100 = replace(
    _CIFAR10_STRONG,
    name="cifar100",
    description="A hundred kinds of things, from 32×32 colour images",
    dataset=CIFAR100,
    model="",
)

_CIFAR100_COARSE = replace(
    _CIFAR100,
    name="cifar100-coarse",
    description="Twenty groups of things, the superclasses of CIFAR-100, from 32×32 colour images",
    dataset=CIFAR100_COARSE,
)

_CLASS_WEIGHT_THRESHOLD = (
    1.5  # up to here a network that always says the largest class gains little: three of five for two classes
)

_FOLDER = Recipe(
    name="folder",
    description="Any folder of pictures with a folder for each class",
    dataset=IMAGE_FOLDER,
    preprocessing=_PHOTOGRAPHS,
    image_folder=True,
    # Without batch normalisation, whose statistics are poor over so few images: of 161 drawn shapes unseen before, it
    # gets 83 % right after 60 epochs on 42 of them, and three stages with normalisation got 45 to 54 %. On 20 CIFAR-10
    # images a class the two are level (68 and 66 % of 3 classes).
    architecture=Textbook(),
    augmentation=Augmentation(flip=True, shift=4, rotate=10, zoom=0.15, fill="reflect"),
    learning_rate=0.01,  # cifar10's; of the same shapes 0.02 with batches of 16 and 40 epochs got 68 %
    momentum=0.9,
    nesterov=True,
    schedule="cosine",
    warmup=0.1,
    weight_decay=1e-3,
    class_weight_threshold=_CLASS_WEIGHT_THRESHOLD,
    epochs=60,
    batch_size=8,  # 60 images are few steps even so: 6 an epoch
)

_IMAGENET = Recipe(
    name="imagenet",
    description="A thousand kinds of things, from 256×256 photographs in ImageNet's folders",
    dataset=IMAGENET,
    preprocessing=_PHOTOGRAPHS,
    image_folder=True,
    # ResNet-18 with half the filters and half the blocks: a seventh of its multiply-adds.
    architecture=ResNet(stem=32, stages=((32, 1), (64, 1), (128, 1), (256, 1))),
    augmentation=Augmentation(flip=True, crop=0.35),
    learning_rate=0.1,
    momentum=0.9,
    nesterov=True,
    schedule="cosine",
    warmup=0.1,
    weight_decay=5e-4,
    label_smoothing=0.1,
    precision="mixed_bfloat16",
    class_weight_threshold=_CLASS_WEIGHT_THRESHOLD,
    epochs=30,
    batch_size=64,
    validation_split=0.01,  # 13,000 of ImageNet's training images
)

RECIPES = {
    recipe.name: recipe
    for recipe in (
        _MNIST,
        _MNIST_STRONG,
        _CIFAR10,
        _CIFAR10_STRONG,
        _CIFAR100,
        _CIFAR100_COARSE,
        _FOLDER,
        _IMAGENET,
    )
}

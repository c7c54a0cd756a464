"""The known data sets: the size of their images and their class names."""

from dataclasses import dataclass

from modelrepo.metadata import InputSpec

_FINE = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
    bowl boy bridge bus butterfly camel can castle caterpillar cattle
    chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
    dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
    lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
    mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
    plain plate poppy porcupine possum rabbit raccoon ray road rocket
    rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
    train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
_COARSE = """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables
    household_electrical_devices household_furniture insects large_carnivores large_man-made_outdoor_things
    large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people
    reptiles small_mammals trees vehicles_1 vehicles_2
"""

FINE = tuple(_FINE.split())  # the 100 classes
COARSE = tuple(_COARSE.split())  # the 20 superclasses, of five classes each


@dataclass(frozen=True)
class DatasetSpec:
    """The image size and class names of a data set, the same for every form in which it is stored."""

    name: str
    shape: tuple[int, int, int]  # height, width and channels of an image
    class_names: tuple[str, ...]

    @property
    def input(self) -> InputSpec:
        """The input of a network that takes these images as they are."""
        return InputSpec("image", "uint8", "NHWC", None, *self.shape)


MNIST = DatasetSpec("mnist", (28, 28, 1), tuple("0123456789"))
CIFAR10 = DatasetSpec(
    "cifar10",
    (32, 32, 3),
    ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
)
CIFAR100 = DatasetSpec("cifar100", (32, 32, 3), FINE)
CIFAR100_COARSE = DatasetSpec("cifar100-coarse", (32, 32, 3), COARSE)  # the same images, by superclass
# Any images: the class names here are replaced by the folder's, the size by the command line's, if it gives one.
IMAGE_FOLDER = DatasetSpec("pictures", (64, 64, 3), tuple(map(str, range(10))))
IMAGENET = DatasetSpec("imagenet", (256, 256, 3), tuple(map(str, range(1000))))
SPECS = {spec.name: spec for spec in (MNIST, CIFAR10, CIFAR100, CIFAR100_COARSE)}

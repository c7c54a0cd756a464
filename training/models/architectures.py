"""What a network looks like, as data: `recipes` choose the numbers, `networks` builds it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Textbook:
    """Conv → pool 2×2 → Conv → pool 2×2 → Flatten → Dense softmax; pooling is max, average or min."""

    pooling: str = "max"
    strides: int = 1  # the convolutions'
    padding: str = "same"  # likewise: same or valid
    filters: tuple[int, int] = (32, 64)  # likewise
    kernel_size: int = 3  # likewise


@dataclass(frozen=True)
class ResNet9:
    """Stages of 3×3 convolutions with batch normalisation, as in VGG (arXiv:1409.1556) but for the end.

    A stage is the filters of its convolutions; maximum pooling after the first of them halves the image. In a stage of
    three or more, what the first gave is added to what the last gives, as in residual networks, where both have as many
    filters. `stem` is the filters of a 2×2 convolution before all stages, 0 for none.
    """

    stages: tuple[tuple[int, ...], ...]
    stem: int = 0
    activation: str = "relu"  # or silu, x · sigmoid(x) (arXiv:1702.03118)


@dataclass(frozen=True)
class ResNet:
    """A 7×7 convolution and maximum pooling, which quarter the image, then stages of residual blocks.

    A stage is (filters, blocks); each but the first halves the image. ResNet-18 is 64, ((64, 2), (128, 2), (256, 2),
    (512, 2)).
    """

    stem: int
    stages: tuple[tuple[int, int], ...]


Architecture = Textbook | ResNet9 | ResNet

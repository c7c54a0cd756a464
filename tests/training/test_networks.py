import pytest

from training.architectures import Textbook
from training.errors import InvalidNetwork
from training.layertable import count_parameters, table_layers
from training.networks import build

MNIST, CIFAR = (28, 28, 1), (32, 32, 3)


@pytest.mark.parametrize("pooling", ["max", "average", "min"])
@pytest.mark.parametrize(("shape", "parameters"), [(MNIST, 50_186), (CIFAR, 60_362)], ids=["mnist", "cifar10"])
def test_the_textbook_has_its_known_number_of_parameters(
    shape: tuple[int, int, int], parameters: int, pooling: str
) -> None:
    network = build(Textbook(pooling=pooling), shape, 10, "network")

    assert count_parameters(network).total == parameters


@pytest.mark.parametrize(
    ("strides", "padding", "shapes"),
    [
        pytest.param(1, "same", [(28, 28, 32), (14, 14, 32), (14, 14, 64), (7, 7, 64), (3136,), (10,)], id="textbook"),
        pytest.param(1, "valid", [(26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64), (1600,), (10,)], id="valid"),
        pytest.param(2, "same", [(14, 14, 32), (7, 7, 32), (4, 4, 64), (2, 2, 64), (256,), (10,)], id="strides"),
        pytest.param(2, "valid", [(13, 13, 32), (6, 6, 32), (2, 2, 64), (1, 1, 64), (64,), (10,)], id="both"),
    ],
)
def test_output_shapes_follow_strides_and_padding(strides: int, padding: str, shapes: list[tuple[int, ...]]) -> None:
    network = build(Textbook(strides=strides, padding=padding), MNIST, 10, "network")

    assert [layer.output_shape[1:] for layer in table_layers(network)] == shapes


def test_strides_that_leave_nothing_to_pool_are_explained() -> None:
    with pytest.raises(InvalidNetwork, match="take smaller strides or padding same"):
        build(Textbook(strides=3, padding="valid"), MNIST, 10, "network")


def test_layers_are_named_alike_however_many_networks_were_built() -> None:
    names = [[layer.name for layer in table_layers(build(Textbook(), MNIST, 10, "network"))] for _ in range(2)]

    assert names[0] == names[1] == ["conv2d", "max_pooling2d", "conv2d_1", "max_pooling2d_1", "flatten", "dense"]

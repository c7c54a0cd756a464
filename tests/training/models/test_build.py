import keras
import numpy as np
import pytest

from training.errors import InvalidNetwork
from training.models.architectures import Architecture, ResNet, ResNet9, Textbook
from training.models.build import build
from training.models.summary import count_parameters, table_layers

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


def test_a_plain_network_halves_the_image_in_every_stage() -> None:
    network = build(ResNet9(stages=((8, 12), (16,)), stem=4), CIFAR, 10, "network")

    shapes = [layer.output_shape[1:] for layer in table_layers(network) if layer.filters or layer.pool_size]
    assert shapes == [(31, 31, 4), (31, 31, 8), (15, 15, 8), (15, 15, 12), (15, 15, 16), (7, 7, 16)]


def test_a_residual_network_adds_what_came_in() -> None:
    network = build(ResNet(stem=8, stages=((8, 2), (16, 1))), (64, 64, 3), 10, "network")

    added = [layer.output_shape[1:] for layer in table_layers(network) if layer.type == "Add"]
    assert added == [(16, 16, 8), (16, 16, 8), (8, 8, 16)]


def test_lower_precision_is_only_what_layers_compute_in() -> None:
    network = build(ResNet9(stages=((8,),)), MNIST, 10, "network", precision="mixed_bfloat16")

    assert {weight.dtype for weight in network.weights} == {"float32"}
    assert network.get_layer("conv1_1").compute_dtype == "bfloat16"
    assert network.layers[-1].compute_dtype == keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("architecture", [ResNet9(stages=((8,),), stem=4), ResNet(stem=8, stages=((8, 1),))])
def test_a_mirrored_network_answers_an_image_and_its_mirror_image_alike(architecture: Architecture) -> None:
    single = build(architecture, CIFAR, 10, "network")
    mirrored = build(architecture, CIFAR, 10, "network", flip_tta=True)
    mirrored.set_weights(single.get_weights())
    images = np.random.default_rng(1).random((3, *CIFAR), np.float32)

    logits = [np.log(single.predict(each, verbose=0)) for each in (images, images[:, :, ::-1])]
    powers = np.exp(np.mean(logits, axis=0))
    answered = mirrored.predict(images, verbose=0)
    assert np.allclose(answered, powers / powers.sum(axis=1, keepdims=True), atol=1e-6)
    assert np.allclose(answered, mirrored.predict(images[:, :, ::-1], verbose=0), atol=1e-6)

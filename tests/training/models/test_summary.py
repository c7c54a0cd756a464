from training.models.architectures import Textbook
from training.models.build import build
from training.models.summary import count_parameters, table_layers


def test_multiply_adds_are_those_of_the_formula() -> None:
    layers = table_layers(build(Textbook(), (28, 28, 1), 10, "network"))

    assert [layer.multiply_adds for layer in layers] == [
        28 * 28 * 32 * 3 * 3 * 1,
        0,
        14 * 14 * 64 * 3 * 3 * 32,
        0,
        0,
        3136 * 10,
    ]


def test_a_convolution_tells_all_its_settings() -> None:
    layer = table_layers(build(Textbook(strides=2, padding="valid"), (28, 28, 1), 10, "network"))[0]

    assert (layer.type, layer.filters, layer.kernel_size) == ("Conv2D", 32, (3, 3))
    assert (layer.strides, layer.padding, layer.activation) == ((2, 2), "valid", "relu")


def test_a_pooling_layer_tells_its_window() -> None:
    layer = table_layers(build(Textbook(pooling="min"), (28, 28, 1), 10, "network"))[1]

    assert (layer.type, layer.pool_size, layer.strides, layer.padding) == ("MinPooling2D", (2, 2), (2, 2), "valid")
    assert layer.output_shape == (None, 14, 14, 32)


def test_frozen_weights_are_counted_apart() -> None:
    network = build(Textbook(), (28, 28, 1), 10, "network")
    network.layers[0].trainable = False

    counts = count_parameters(network)

    assert (counts.total, counts.trainable, counts.non_trainable) == (50_186, 49_866, 320)

"""The formula against Keras's own layers, which run here on images of ones with kernels of ones."""

from typing import Any

import keras
import numpy as np
import pytest

from training.analysis.output_shapes import output_size, zeros_added

# Size, kernel, stride: even and odd ones, kernels as large as the image and larger, steps that do not come out even
# and steps over pixels that no kernel sees.
CASES = [
    (28, 3, 1),
    (28, 3, 2),
    (28, 3, 3),
    (28, 2, 1),
    (28, 2, 2),
    (28, 1, 1),
    (28, 1, 3),
    (28, 5, 2),
    (28, 7, 3),
    (13, 3, 2),
    (14, 3, 2),
    (7, 4, 2),
    (5, 5, 1),
    (5, 5, 4),
    (3, 2, 5),
    (1, 1, 1),
]
every_case = pytest.mark.parametrize(("size", "kernel", "stride"), CASES)
both_paddings = pytest.mark.parametrize("padding", ["same", "valid"])


@every_case
@both_paddings
def test_a_convolution_has_the_size_of_the_formula(size: int, kernel: int, stride: int, padding: str) -> None:
    layer = keras.layers.Conv2D(1, kernel, stride, padding)

    assert run(layer, size).shape == (output_size(size, kernel, stride, padding),) * 2


@every_case
@both_paddings
def test_pooling_has_the_size_of_the_formula(size: int, kernel: int, stride: int, padding: str) -> None:
    layer = keras.layers.MaxPooling2D(kernel, stride, padding)

    assert run(layer, size).shape == (output_size(size, kernel, stride, padding),) * 2


@every_case
def test_the_first_and_the_last_place_of_a_kernel_see_the_zeros_that_the_formula_adds(
    size: int, kernel: int, stride: int
) -> None:
    before, after = zeros_added(size, kernel, stride, "same")

    seen = run(keras.layers.Conv2D(1, kernel, stride, "same", kernel_initializer="ones"), size)

    # A kernel of ones over ones counts the pixels it sees; those after its last step are never seen.
    last = min(kernel, size + before - (len(seen) - 1) * stride)
    assert seen[0, 0] == min(kernel - before, size) ** 2
    assert seen[-1, -1] == min(last, size) ** 2
    assert after == max((len(seen) - 1) * stride + kernel - before - size, 0)


@pytest.mark.parametrize(("size", "kernel", "stride"), [(2, 3, 1), (1, 2, 2), (4, 7, 3)])
def test_what_keras_refuses_to_build_has_no_size(size: int, kernel: int, stride: int) -> None:
    with pytest.raises(ValueError, match="output size"):
        keras.Sequential([keras.Input((size, size, 1)), keras.layers.Conv2D(1, kernel, stride, "valid")])

    assert output_size(size, kernel, stride, "valid") == 0


def test_same_may_be_uneven_and_valid_adds_nothing() -> None:
    assert zeros_added(28, 3, 2, "same") == (0, 1)
    assert zeros_added(28, 3, 1, "same") == (1, 1)
    assert zeros_added(28, 3, 1, "valid") == (0, 0)


def run(layer: Any, size: int) -> Any:
    """What the layer gives for one image of ones, as [height, width]."""
    return np.asarray(layer(np.ones((1, size, size, 1), np.float32)))[0, ..., 0]

import pytest

from training.analysis.output_shapes import Arithmetic, Setting, check_shapes, output_size
from training.errors import ShapesDiffer

MNIST, CIFAR = (28, 28, 1), (32, 32, 3)


@pytest.mark.parametrize(
    ("image", "setting", "sides"),
    [
        pytest.param(MNIST, Setting(3, 1, "same"), (28, 14, 14, 7), id="textbook"),
        pytest.param(CIFAR, Setting(5, 1, "valid"), (28, 14, 10, 5), id="valid"),
        pytest.param(MNIST, Setting(2, 2, "same"), (14, 7, 4, 2), id="strides"),
        pytest.param(MNIST, Setting(7, 2, "valid"), (), id="nothing left"),
    ],
)
def test_formula_keras_and_graph_agree(image: tuple[int, int, int], setting: Setting, sides: tuple[int, ...]) -> None:
    assert check_shapes(image, setting) == tuple((side, side) for side in sides)


def test_height_and_width_are_counted_apart() -> None:
    assert check_shapes((28, 20, 1), Setting(3, 1, "valid"))[-1] == (5, 3)


@pytest.mark.parametrize(
    ("setting", "wrong", "sentence"),
    [
        pytest.param(
            Setting(3, 2, "same"),
            lambda size, kernel, stride, _: output_size(size, kernel, stride, "valid"),
            "kernel 3, stride 2, padding same: the formula gives 13×13 → 6×6 → 2×2 → 1×1, "
            "but Keras has 14×14 → 7×7 → 4×4 → 2×2",
            id="another size",
        ),
        pytest.param(Setting(7, 2, "valid"), lambda size, *_: size, "but Keras has nothing", id="nothing left"),
        pytest.param(
            Setting(3, 1, "same"), lambda *_: 0, "the formula gives nothing, but Keras has 28", id="too small"
        ),
    ],
)
def test_a_formula_that_is_wrong_is_reported_with_both_shapes(
    setting: Setting, wrong: Arithmetic, sentence: str
) -> None:
    with pytest.raises(ShapesDiffer, match=sentence):
        check_shapes(MNIST, setting, wrong)

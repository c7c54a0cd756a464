from typing import Any

import pytest

from modelrepo.metadata import InputSpec, Preprocessing
from training.errors import InvalidModel
from training.onnx_import.options import ImportOptions
from training.onnx_import.presets import PRESETS, choose_preprocessing


def chosen(channels: int = 3, dtype: str = "float32", **choices: Any) -> Preprocessing:
    return choose_preprocessing(ImportOptions(**choices), InputSpec("x", dtype, "NCHW", None, 8, 8, channels))


def test_imagenet_is_torchvisions() -> None:
    rules = chosen(preset="imagenet")

    assert (rules.scale, rules.mean, rules.std) == (1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert (rules.mode, rules.channel_order, rules.fit, rules.interpolation) == ("rgb", None, "crop", "bilinear")


def test_the_mnist_preset_prepares_handwriting() -> None:
    rules = chosen(1, preset="mnist")

    assert (rules.mode, rules.ink, rules.fit, rules.alpha, rules.scale) == (
        "grayscale",
        True,
        "pad",
        "contrast",
        1 / 255,
    )


@pytest.mark.parametrize(("channels", "mode"), [(1, "grayscale"), (3, "rgb")])
def test_zero_one_is_for_any_color(channels: int, mode: str) -> None:
    assert chosen(channels, preset="zero-one").mode == mode


def test_options_change_parts_of_a_preset() -> None:
    rules = chosen(preset="imagenet", std=(0.5,), interpolation="bicubic", fit="stretch", color="bgr")

    assert rules.std == (0.5, 0.5, 0.5)
    assert rules.mean == PRESETS["imagenet"].mean
    assert (rules.interpolation, rules.fit, rules.channel_order) == ("bicubic", "stretch", "bgr")


def test_one_number_is_repeated_for_all_channels() -> None:
    rules = chosen(scale=1 / 127.5, mean=(1.0,))

    assert (rules.scale, rules.mean, rules.std) == (1 / 127.5, (1.0, 1.0, 1.0), None)


def test_a_graph_that_takes_bytes_gets_no_normalization() -> None:
    rules = chosen(1, "uint8", preset="mnist")

    assert (rules.scale, rules.mean, rules.std, rules.ink) == (None, None, None, True)
    assert chosen(3, "uint8", fit="pad").fit == "pad"


@pytest.mark.parametrize(
    ("channels", "dtype", "choices", "sentence"),
    [
        pytest.param(3, "float32", {}, "give --preset imagenet, mnist, zero-one, or --scale", id="nothing told"),
        pytest.param(3, "float32", {"mean": (1.0,)}, "or --scale", id="mean without scale"),
        pytest.param(3, "uint8", {"scale": 1.0}, "scales them itself: leave --scale out", id="bytes scaled"),
        pytest.param(3, "uint8", {"std": (1.0,)}, "leave --std out", id="bytes divided"),
        pytest.param(1, "float32", {"preset": "imagenet"}, "is for rgb images, and the graph takes 1", id="gray"),
        pytest.param(3, "float32", {"preset": "mnist"}, "is for grayscale images", id="colour"),
        pytest.param(3, "float32", {"scale": 1.0, "mean": (1.0, 2.0)}, "--mean has 2 numbers for 3", id="two means"),
        pytest.param(3, "float32", {"scale": 1.0, "std": (0.0,)}, "--std has a 0", id="division by 0"),
    ],
)
def test_what_does_not_fit_the_graph_is_refused(
    channels: int, dtype: str, choices: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidModel, match=sentence):
        chosen(channels, dtype, **choices)

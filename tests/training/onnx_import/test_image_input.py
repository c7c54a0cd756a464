from typing import Any

import pytest

from modelrepo.metadata import InputSpec
from training.errors import InvalidModel
from training.onnx_import.image_input import describe_input
from training.onnx_import.options import ImportOptions
from training.onnx_import.signature import ValueInfo

NCHW = (None, 3, 224, 160)


def described(shape: tuple[int | None, ...] | None, dtype: str = "float", **chosen: Any) -> InputSpec:
    return describe_input(ValueInfo("x", dtype, shape), ImportOptions(**chosen))


@pytest.mark.parametrize(
    ("shape", "chosen", "expected"),
    [
        pytest.param(NCHW, {}, ("NCHW", None, 224, 160, 3), id="channels first"),
        pytest.param((8, 28, 20, 1), {}, ("NHWC", 8, 28, 20, 1), id="channels last, fixed batch"),
        pytest.param((1, 3, 224, 3), {"layout": "NHWC"}, ("NHWC", 1, 3, 224, 3), id="ambiguous, told"),
        pytest.param((None, None, None, 3), {"size": (64, 32)}, ("NHWC", None, 64, 32, 3), id="free size"),
        pytest.param((None, 3, 224, None), {"size": (224, 32)}, ("NCHW", None, 224, 32, 3), id="free width"),
        pytest.param(
            (None,) * 4,
            {"layout": "NCHW", "size": (64, 32), "color": "bgr"},
            ("NCHW", None, 64, 32, 3),
            id="all free",
        ),
        pytest.param(NCHW, {"batch": 1}, ("NCHW", 1, 224, 160, 3), id="a free axis tied"),
        pytest.param((1, 3, 8, 8), {"batch": 1, "size": (8, 8)}, ("NCHW", 1, 8, 8, 3), id="told what it says"),
    ],
)
def test_layout_batch_and_size_follow_from_shape_and_options(
    shape: tuple[int | None, ...], chosen: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    spec = described(shape, **chosen)

    assert (spec.layout, spec.batch, spec.height, spec.width, spec.channels) == expected


@pytest.mark.parametrize(("onnx", "dtype"), [("float", "float32"), ("uint8", "uint8")])
def test_the_type_has_the_contracts_name(onnx: str, dtype: str) -> None:
    assert described(NCHW, onnx).dtype == dtype


@pytest.mark.parametrize(
    ("shape", "chosen", "sentence"),
    [
        pytest.param(None, {}, "x float of unknown shape is no batch of images", id="unknown rank"),
        pytest.param((None, 784), {}, r"x float \[\?, 784\] is no batch of images, which has four axes", id="flat"),
        pytest.param((224, 224, 3), {}, "is no batch of images", id="no batch axis"),
        pytest.param((1, 3, 224, 3), {}, "give --layout NCHW or --layout NHWC", id="both layouts"),
        pytest.param((None,) * 4, {}, r"\[\?, \?, \?, \?\] does not tell where its channels", id="neither layout"),
        pytest.param((1, 4, 9, 9), {}, "give --layout", id="four channels"),
        pytest.param((1, 4, 9, 9), {"layout": "NCHW"}, "has 4 channels where images have 1 or 3", id="four, told"),
        pytest.param(NCHW, {"layout": "NHWC"}, "has 160 channels .* --layout may be wrong", id="wrong layout"),
        pytest.param((None,) * 4, {"layout": "NCHW", "size": (9, 9)}, "give --color", id="channels open"),
        pytest.param((1, 3, None, None), {}, "give --size HEIGHTxWIDTH", id="free size"),
        pytest.param(NCHW, {"size": (64, 64)}, "takes images of 224×160: leave --size out", id="another size"),
        pytest.param((3, 3, None, 64), {"size": (9, 9)}, "takes images of .×64: leave --size", id="another width"),
        pytest.param((4, 3, 9, 9), {"batch": 1}, "takes batches of 4, not of 1: leave --batch out", id="batch"),
        pytest.param((1, 3, None, None), {"size": (100_000, 100_000)}, "100000×100000 are too large", id="absurd size"),
        pytest.param(
            (1, 3, 2049, 2048), {}, "images of 2049×2048 are too large .* a smaller --size", id="absurd graph"
        ),
        pytest.param(NCHW, {"batch": 1_000_000}, "batches of 1000000 images .* a smaller --batch", id="absurd batch"),
        pytest.param(NCHW, {"color": "grayscale"}, "takes 3 channels, and --color grayscale gives 1", id="gray"),
    ],
)
def test_an_input_that_is_no_image_or_needs_an_option_is_refused(
    shape: tuple[int | None, ...] | None, chosen: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidModel, match=sentence):
        described(shape, **chosen)


@pytest.mark.parametrize("dtype", ["float16", "double", "int8", "bfloat16", "int64", "undefined", "sequence_type"])
def test_types_that_the_service_cannot_feed_are_refused(dtype: str) -> None:
    with pytest.raises(InvalidModel, match=f"x {dtype} .* neither of uint8 and float32"):
        described(NCHW, dtype)

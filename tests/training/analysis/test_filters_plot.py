import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from training.analysis.filters import FirstConvolution
from training.analysis.filters_plot import draw_filters
from training.plotting import as_png


def found(count: int = 4, channels: int = 3, kernel: int = 3, activation: str | None = "Relu") -> FirstConvolution:
    random = np.random.default_rng(1)
    maps = random.normal(size=(count, 8, 8)).astype(np.float32)
    filters = random.normal(size=(count, channels, kernel, kernel)).astype(np.float32)
    return FirstConvolution("first", filters, activation, np.maximum(maps, 0) if activation else maps)


def pixels(plot: Figure) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(as_png(plot))).convert("RGB"))


def test_every_filter_and_its_map_has_a_tile_with_its_number() -> None:
    layer = found(count=4, channels=1)

    weights, image, maps = draw_filters("net", layer, None, np.zeros((8, 8, 1), np.uint8)).axes[:3]

    for axes, tiles in ((weights, layer.filters[:, 0]), (maps, layer.maps)):
        assert [text.get_text() for text in axes.texts] == ["0", "1", "2", "3"]
        drawn = [np.asarray(tile.get_array()) for tile in axes.get_images()]
        assert all(np.array_equal(one, other) for one, other in zip(drawn, tiles, strict=True))
    assert image.get_title() == "the image"


@pytest.mark.parametrize(
    ("count", "channels", "kernel", "activation"), [(1, 1, 3, None), (32, 3, 3, "Relu"), (96, 4, 11, "Relu")]
)
def test_any_first_layer_is_an_image_for_a_screen(
    count: int, channels: int, kernel: int, activation: str | None
) -> None:
    image = np.zeros((8, 8, 3), np.uint8)

    height, width, _ = pixels(draw_filters("net", found(count, channels, kernel, activation), None, image)).shape

    assert width == 1152
    assert 200 < height < 2500


def test_filters_have_their_colors_in_either_order_of_channels() -> None:
    red = np.zeros((1, 3, 3, 3), np.float32)
    red[0, 0] = 0.01  # however small: each is stretched to the full
    layer = FirstConvolution("first", red, None, np.zeros((1, 2, 2), np.float32))

    assert has(pixels(draw_filters("net", layer, None)), (255, 128, 128))
    assert has(pixels(draw_filters("net", layer, "bgr")), (128, 128, 255))


def test_filters_of_zeros_are_gray() -> None:
    layer = FirstConvolution("first", np.zeros((2, 3, 3, 3), np.float32), None, np.zeros((2, 2, 2), np.float32))

    assert has(pixels(draw_filters("net", layer, None, np.zeros((8, 8, 1), np.uint8))), (128, 128, 128))


def has(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    """Whether it has a patch of a colour, give or take the last bit."""
    return int((np.abs(picture.astype(int) - colour).max(axis=-1) <= 1).sum()) > 1000

import numpy as np
import pytest

from training.errors import ParityFailed
from training.evaluation.golden_images import draw_extremes
from training.export.to_onnx import compare

KERAS = np.array([[0.7, 0.3], [0.4, 0.6]], np.float32)


def test_equal_answers_give_the_largest_difference() -> None:
    parity = compare(KERAS, KERAS + np.float32(1e-6))

    assert parity.largest_difference == pytest.approx(1e-6, rel=0.1)


@pytest.mark.parametrize(
    "exported",
    [
        pytest.param(KERAS + np.float32(2e-5), id="too far"),
        pytest.param(KERAS[:, ::-1], id="other labels"),
        pytest.param(KERAS * np.float32(np.nan), id="not numbers"),
    ],
)
def test_different_answers_fail(exported: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    with pytest.raises(ParityFailed, match="nothing was published"):
        compare(KERAS, exported)


def test_extremes_are_noise_black_and_white() -> None:
    images = draw_extremes((4, 4, 1), seed=1)

    assert (images[-2] == 0).all()
    assert (images[-1] == 255).all()
    assert len(images) > 60

import json
from dataclasses import replace

import numpy as np
import pytest

from training.data.splits import Split
from training.errors import NotWorthwhile
from training.export.int8 import Comparison, Figures, Measured, check_worth_it, compare

WORTH_IT = Comparison(
    examples=10_000,
    float32=Figures(9_000, 0.9, 200_000, 1.0),
    int8=Figures(8_990, 0.899, 60_000, 0.8),
    largest_difference=0.05,
    labels_equal=0.99,
)


def with_int8(correct: int = 8_990, milliseconds: float = 0.8) -> Comparison:
    return replace(WORTH_IT, int8=Figures(correct, correct / WORTH_IT.examples, 60_000, milliseconds))


@pytest.mark.parametrize(
    "comparison",
    [
        pytest.param(WORTH_IT, id="a little worse, much faster"),
        pytest.param(with_int8(correct=8_970), id="exactly 0.3 points worse"),
        pytest.param(with_int8(correct=9_500), id="better"),
        pytest.param(with_int8(milliseconds=1 / 1.06), id="just fast enough"),
    ],
)
def test_what_is_faster_and_loses_next_to_nothing_is_worthwhile(comparison: Comparison) -> None:
    check_worth_it(comparison)


@pytest.mark.parametrize(
    ("comparison", "reasons"),
    [
        pytest.param(with_int8(correct=8_969), [r"loses 0\.31 points of accuracy"], id="worse"),
        pytest.param(with_int8(milliseconds=1 / 1.04), [r"is 1\.04 times as fast here"], id="within noise"),
        pytest.param(with_int8(milliseconds=2.0), [r"is 0\.50 times as fast here"], id="slower"),
        pytest.param(with_int8(milliseconds=float("nan")), ["is nan times"], id="not measured"),
        pytest.param(with_int8(8_000, 2.0), [r"loses 10\.00 points", "and is 0.50 times"], id="both"),
    ],
)
def test_what_is_worse_or_not_clearly_faster_is_refused_with_every_reason(
    comparison: Comparison, reasons: list[str]
) -> None:
    with pytest.raises(NotWorthwhile, match=".*".join(reasons)):
        check_worth_it(comparison)


def test_both_graphs_are_compared_on_the_same_images() -> None:
    test = Split(np.zeros((4, 1, 1, 1), np.uint8), np.array([0, 1, 0, 1]))
    float32 = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.6, 0.4]], np.float32)
    int8 = np.array([[0.8, 0.2], [0.2, 0.8], [0.4, 0.6], [0.6, 0.4]], np.float32)

    compared = compare(Measured(float32, 900, 0.003), Measured(int8, 300, 0.002), test)

    assert (compared.float32.correct, compared.int8.correct) == (3, 2)
    assert (compared.float32.accuracy, compared.int8.accuracy) == (0.75, 0.5)
    assert (compared.float32.size, compared.int8.size) == (900, 300)
    assert compared.labels_equal == 0.75
    assert compared.largest_difference == pytest.approx(0.2)
    assert compared.ratio == pytest.approx(1.5)


def test_the_record_is_json_and_has_the_ratio() -> None:
    record = json.loads(json.dumps(WORTH_IT.to_json()))

    assert record["ratio"] == pytest.approx(1.25)
    assert record["int8"] == {"correct": 8_990, "accuracy": 0.899, "size": 60_000, "milliseconds": 0.8}

"""Bundles compared by what they cost."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelrepo.reader import read_bundle
from tests.support.training.plots import error_bars, png_size, points
from training.analysis.costs import draw_costs, measure_costs
from training.cli.main import main
from training.errors import InvalidData

MODELS = Path(__file__).parents[3] / "models"


def twice(*_: object) -> tuple[float, float]:
    return 0.001, 0.002


def test_costs_are_multiples_of_the_first_bundles(bundle: Path) -> None:
    first, second = measure_costs([read_bundle(bundle), read_bundle(bundle)], twice)

    assert (first.ratio, second.milliseconds) == (2, 2)
    assert first.interval[0] < first.accuracy < first.interval[1] or first.accuracy in {0, 1}


def test_bundles_that_take_other_images_cannot_be_compared(bundle: Path) -> None:
    with pytest.raises(InvalidData, match="one shape, here"):
        measure_costs([read_bundle(bundle), read_bundle(MODELS / "cifar10" / "1")], twice)


@pytest.mark.parametrize("changes", [{"layout": "NCHW"}, {"dtype": "float32"}], ids=["layout", "type"])
def test_bundles_with_another_layout_or_type_cannot_be_compared(bundle: Path, changes: Any) -> None:
    read = read_bundle(bundle)
    taken = replace(read.metadata.input, **changes)

    with pytest.raises(InvalidData, match=": costs can be compared between"):
        measure_costs([read, replace(read, metadata=replace(read.metadata, input=taken))], twice)


def test_bundles_that_were_not_evaluated_cannot_be_compared(bundle: Path) -> None:
    read = read_bundle(bundle)
    imported = replace(read, metadata=replace(read.metadata, evaluation={}))

    with pytest.raises(InvalidData, match="how many test images it gets right"):
        measure_costs([read, imported], twice)


def test_the_plot_has_a_point_with_its_interval_for_each_bundle(bundle: Path) -> None:
    cost = measure_costs([read_bundle(bundle)], twice)[0]

    (axes,) = draw_costs("price", [cost, replace(cost, ratio=4)]).axes

    bars = error_bars(axes)
    assert [points(bar.lines[0]) for bar in bars] == [[[2, cost.accuracy]], [[4, cost.accuracy]]]
    assert bars[0].lines[2][0].get_segments()[0][:, 1] == pytest.approx(cost.interval)
    assert axes.get_xscale() == "log"


def test_the_command_prints_the_table_and_writes_the_plot(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["costs", str(bundle), "--out", str(tmp_path / "costs.png")]) == 0

    recorded = json.loads((bundle / "metadata.json").read_text())
    assert f"digits/1  {recorded['evaluation']['accuracy']:>8.2%}" in capsys.readouterr().out
    assert min(png_size(tmp_path / "costs.png")) > 400

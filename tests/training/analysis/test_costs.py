"""Bundles compared by what they cost."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelrepo.reader import read_bundle
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
def test_bundles_that_take_pixels_otherwise_cannot_be_compared(bundle: Path, changes: Any) -> None:
    read = read_bundle(bundle)
    taken = replace(read.metadata.input, **changes)

    with pytest.raises(InvalidData, match=": costs can be compared between"):
        measure_costs([read, replace(read, metadata=replace(read.metadata, input=taken))], twice)


def test_bundles_that_were_not_evaluated_cannot_be_compared(bundle: Path) -> None:
    read = read_bundle(bundle)
    imported = replace(read, metadata=replace(read.metadata, evaluation={}))

    with pytest.raises(InvalidData, match="how many test images it gets right"):
        measure_costs([read, imported], twice)


def test_the_picture_has_a_point_a_bundle(bundle: Path) -> None:
    one, two = (draw_costs("price", measure_costs([read_bundle(bundle)] * count, twice)) for count in (1, 2))

    assert one.startswith(b"\x89PNG")
    assert two.startswith(b"\x89PNG")


def test_the_command_prints_the_table_and_writes_the_picture(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["costs", str(bundle), "--out", str(tmp_path / "costs.png")]) == 0

    recorded = json.loads((bundle / "metadata.json").read_text())
    assert f"digits/1  {recorded['evaluation']['accuracy']:>8.2%}" in capsys.readouterr().out
    assert (tmp_path / "costs.png").stat().st_size > 1000

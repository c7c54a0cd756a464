"""What is refused before a training begins, and what a model of somebody's folder is called."""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from training.cli.datasets import _describe
from training.cli.main import main
from training.cli.train import check_paths
from training.data.specs import DatasetSpec
from training.errors import InvalidChoice
from training.recipes import RECIPES


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param({"save": Path("network.h5")}, r"call the file network\.keras", id="another format"),
        pytest.param({"save": Path("missing/network.keras")}, "missing is no folder", id="no folder to save in"),
        pytest.param({"checkpoint": Path("missing/run")}, "missing is no folder", id="no folder for the state"),
        pytest.param({"abstain": 0.99}, "so that it is not lost", id="a precision that may be out of reach"),
    ],
)
def test_what_would_only_fail_after_the_training_is_refused_before(given: dict[str, object], sentence: str) -> None:
    options = Namespace(**{"save": None, "checkpoint": None, "abstain": None, **given})

    with pytest.raises(InvalidChoice, match=sentence):
        check_paths(options)


def test_a_folders_model_is_described_by_its_classes() -> None:
    labels = tuple(f"kind {number}" for number in range(12))
    recipe = replace(RECIPES["folder"], dataset=DatasetSpec("pictures", (8, 8, 3), labels))

    assert _describe(recipe).description.startswith("12 classes: kind 0, kind 1,")
    assert _describe(recipe).description.endswith("kind 9 and 2 more")


def test_eight_bits_have_no_threshold_of_the_float_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "network.keras", "--recipe", "mnist", "--int8", "--abstain", "0.9"]) == 1

    assert "leave it out with --int8" in capsys.readouterr().err

import io
import json
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from training.analysis.experiments import Result, Variant, run_variant
from training.cli.experiments import compare
from training.cli.main import main, make_parser
from training.data.splits import Dataset
from training.recipes import Recipe

Contents = Callable[[Path], dict[str, bytes]]


def test_an_experiment_prints_its_table_and_writes_plot_and_record(
    arrays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "folder"

    assert main(["experiments", "strides", "--data", str(arrays), "--out", str(out), "--epochs", "1"]) == 0

    told = capsys.readouterr().out
    assert "strides 2 of 2: stride 2" in told
    assert "stride 1  7 × 7 × 64      50,186      3,869,824" in told
    assert "stride 2  2 × 2 × 64      21,386        353,920" in told
    assert sorted(path.name for path in out.iterdir()) == ["strides.json", "strides.png"]
    assert Image.open(io.BytesIO((out / "strides.png").read_bytes())).width > 1000
    record = json.loads((out / "strides.json").read_bytes())
    assert (record["experiment"], record["recipe"], record["dataset"]["name"]) == ("strides", "mnist", "mnist")
    assert record["command"] == "python -m training experiments strides --data digits.npz --out folder --epochs 1"
    assert [variant["variant"] for variant in record["variants"]] == ["stride 1", "stride 2"]
    assert [variant["architecture"]["strides"] for variant in record["variants"]] == [1, 2]


def test_ctrl_c_in_the_second_variant_writes_nothing_and_leaves_the_last_run(
    options: Namespace, contents: Contents
) -> None:
    options.out.mkdir()
    (options.out / "pooling.json").write_bytes(b"the last run's")

    with pytest.raises(KeyboardInterrupt):
        compare(options, interrupted_at("average"))

    assert contents(options.out) == {str(options.out / "pooling.json"): b"the last run's"}


def test_a_folder_that_cannot_be_made_is_reported_before_anything_is_trained(
    arrays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["experiments", "pooling", "--data", str(arrays), "--out", str(arrays)]) == 1

    told = capsys.readouterr()
    assert str(arrays) in told.err
    assert told.out == ""


def test_the_ablation_is_also_known_by_its_older_name() -> None:
    parser = make_parser()

    first, second = (parser.parse_args(["experiments", name]) for name in ("ablation", "choices"))

    assert first == second
    assert (first.experiment, first.recipe) == ("ablation", "mnist-strong")


@pytest.mark.parametrize(
    "arguments",
    [[], ["dropout"], ["pooling", "--epochs", "0"], ["pooling", "--recipe", "x"], ["shapes", "--seed", "1"]],
)
def test_unknown_experiments_and_options_out_of_range_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["experiments", *arguments])


@pytest.fixture
def options(arrays: Path, tmp_path: Path) -> Namespace:
    arguments = ["experiments", "pooling", "--data", str(arrays), "--out", str(tmp_path / "out"), "--epochs", "1"]
    return make_parser().parse_args(arguments, Namespace(arguments=arguments))


def interrupted_at(label: str) -> Callable[[Variant, Recipe, Dataset, int], Result]:
    """Attempts of which one ends as if Ctrl-C had come in its middle."""

    def attempt(variant: Variant, recipe: Recipe, dataset: Dataset, verbose: int) -> Result:
        if variant.label == label:
            raise KeyboardInterrupt
        return run_variant(variant, recipe, dataset, verbose)

    return attempt

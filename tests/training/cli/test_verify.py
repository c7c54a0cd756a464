import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from modelrepo.repository import ModelRepository
from tests.training.service_double import serve
from training.cli.main import main
from training.evaluation.onnx_inference import open_graph


def test_a_service_that_answers_as_keras_did_verifies_on_golden_and_on_test_images(
    bundle: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = open_graph(bundle / "model.onnx")
    models = ["--models", str(bundle.parents[1])]

    with serve(graph) as url:
        posted = main(["verify", url, "--model", "digits", "--data", str(source), "--connections", "3", *models])
        golden = main(["verify", url, *models])

    assert (posted, golden) == (0, 0)
    said = capsys.readouterr().out
    assert "40 images posted" in said
    assert "digits version 1: 8 golden images within" in said


def test_a_service_that_answers_otherwise_fails(bundle: Path, arrays: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = open_graph(bundle / "model.onnx")
    models = ["--models", str(bundle.parents[1])]

    with serve(lambda images: graph(255 - images)) as url:
        posted = main(["verify", url, "--model", "digits", "--data", str(arrays), *models])
        golden = main(["verify", url, *models])

    assert (posted, golden) == (1, 1)
    said = capsys.readouterr()
    assert "The service does NOT answer as Keras did." in said.out
    assert "this is not the model that was trained" in said.err


def test_another_test_split_is_refused(bundle: Path, arrays: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with np.load(arrays) as stored:
        changed = {name: stored[name] for name in stored.files}
    np.savez(arrays, **{**changed, "x_test": changed["x_test"][::-1]})
    options = ["--data", str(arrays), "--models", str(bundle.parents[1])]

    assert main(["verify", str(bundle), *options]) == 1
    assert main(["verify", "http://localhost", "--model", "digits", *options]) == 1

    assert capsys.readouterr().err.count("its digest differs") == 2


def test_evaluate_is_the_older_name_for_a_test_split_of_a_service(
    bundle: Path, arrays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--model", "digits", "--data", str(arrays), "--models", str(bundle.parents[1])]

    with serve(open_graph(bundle / "model.onnx")) as url:
        statuses = [main([command, url, *options]) for command in ("evaluate", "verify")]

    assert statuses == [0, 0]
    first, second = capsys.readouterr().out.split("digits version 1, ")[1:]
    assert first == second


def test_a_test_split_is_of_one_model(bundle: Path, arrays: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "http://localhost", "--data", str(arrays), "--models", str(bundle.parents[1])]) == 1

    assert "name it by --model" in capsys.readouterr().err


def test_only_the_named_model_is_compared(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(bundle, bundle.parents[1] / "others" / "1")

    with serve(open_graph(bundle / "model.onnx")) as url:
        status = main(["verify", url, "--model", "digits", "--models", str(bundle.parents[1])])

    assert status == 0
    assert capsys.readouterr().out.startswith("digits version 1: 8 golden images")


@pytest.mark.parametrize("retired", ["1", "2"])
def test_only_the_newest_version_must_be_served(bundle: Path, retired: str, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(bundle, bundle.parent / "2")
    described = json.loads((bundle.parent / "2" / "metadata.json").read_text())
    (bundle.parent / "2" / "metadata.json").write_text(json.dumps({**described, "version": 2}))

    with serve(open_graph(bundle / "model.onnx"), versions={"1", "2"} - {retired}) as url:
        status = main(["verify", url, "--models", str(bundle.parents[1])])

    assert status == (0 if retired == "1" else 1)
    assert ("digits version 1: no longer served" in capsys.readouterr().out) is (retired == "1")


def test_a_model_that_the_repository_lacks_is_named(
    repository: ModelRepository, arrays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--model", "digits", "--models", str(repository.root)]

    assert main(["verify", "http://localhost", *options]) == 1
    assert main(["verify", "http://localhost", *options, "--data", str(arrays)]) == 1

    assert capsys.readouterr().err.count("has no model 'digits'") == 2

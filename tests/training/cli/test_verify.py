import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from modelrepo.repository import ModelRepository
from tests.training.service_double import serve
from training.cli.main import main
from training.evaluation.onnx_inference import open_graph


def test_a_service_that_answers_as_keras_did_evaluates_and_verifies(
    bundle: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = open_graph(bundle / "model.onnx")
    models = ["--models", str(bundle.parents[1])]

    with serve(graph) as url:
        evaluated = main(["evaluate", url, "--model", "digits", "--data", str(source), "--connections", "3", *models])
        verified = main(["verify", url, *models])

    assert (evaluated, verified) == (0, 0)
    assert "40 images posted" in capsys.readouterr().out


def test_a_service_that_answers_otherwise_fails(bundle: Path, arrays: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = open_graph(bundle / "model.onnx")
    models = ["--models", str(bundle.parents[1])]

    with serve(lambda images: graph(255 - images)) as url:
        evaluated = main(["evaluate", url, "--model", "digits", "--data", str(arrays), *models])
        verified = main(["verify", url, *models])

    assert (evaluated, verified) == (1, 1)
    said = capsys.readouterr()
    assert "The service does NOT answer as Keras did." in said.out
    assert "this is not the model that was trained" in said.err


def test_another_test_split_is_refused(bundle: Path, arrays: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with np.load(arrays) as stored:
        changed = {name: stored[name] for name in stored.files}
    np.savez(arrays, **{**changed, "x_test": changed["x_test"][::-1]})
    options = ["--data", str(arrays), "--models", str(bundle.parents[1])]

    assert main(["verify", str(bundle), *options]) == 1
    assert main(["evaluate", "http://localhost", "--model", "digits", *options]) == 1

    assert capsys.readouterr().err.count("its digest differs") == 2


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
    options = ["--data", str(arrays), "--models", str(repository.root)]

    assert main(["evaluate", "http://localhost", "--model", "digits", *options]) == 1

    assert "has no model 'digits'" in capsys.readouterr().err

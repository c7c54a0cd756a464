import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modelrepo.reader import read_bundle
from tests.support.training.cifar_archives import cifar100_binary, cifar100_python, draw_images, pack
from tests.support.training.plots import png_size
from training.cli.main import main
from training.data.specs import COARSE

ROOT = Path(__file__).parents[3]


def test_recipes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes"]) == 0

    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} >= {
        "mnist",
        "cifar10",
        "cifar100",
        "cifar100-coarse",
    }


def test_training_by_a_recipe_publishes_and_records_its_command(
    arrays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models, changes = tmp_path / "models", ["--epochs", "1", "--learning-rate", "0.03"]
    command = "python -m training train mnist --data digits.npz --models models --epochs 1 --learning-rate 0.03"

    assert main(["train", "mnist", "--data", str(arrays), "--models", str(models), *changes]) == 0

    recorded = read_bundle(models / "mnist" / "1").metadata.training
    assert (recorded["command"], recorded["epochs"], recorded["learning_rate"]) == (command, 1, 0.03)
    assert "Published mnist version 1" in capsys.readouterr().out


def test_cifar_100_is_trained_from_one_original_archive_and_verified_with_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = draw_images(200, 100, seed=1), draw_images(100, 100, seed=2)
    pickled = pack(cifar100_python(*pictures), tmp_path / "cifar-100-python.tar.gz")
    binary = pack(cifar100_binary(*pictures), tmp_path / "cifar-100-binary.tar.gz")
    models = tmp_path / "models"

    trained = main(["train", "cifar100-coarse", "--data", str(pickled), "--models", str(models), "--epochs", "1"])
    verified = main(["verify", str(models / "cifar100-coarse" / "1"), "--data", str(binary)])

    assert (trained, verified) == (0, 0)
    assert read_bundle(models / "cifar100-coarse" / "1").metadata.labels == COARSE
    assert "100 test images with Keras's label each" in capsys.readouterr().out


def test_options_change_the_recipe_and_a_kept_network_can_be_exported(archive: Path, tmp_path: Path) -> None:
    models, network = str(tmp_path / "models"), str(tmp_path / "network.keras")
    options = ["--data", str(archive), "--models", models, "--name", "least"]

    main(["train", "mnist", *options, "--epochs", "2", "--seed", "7", "--pooling", "min", "--save", network])
    main(["export", network, "--recipe", "mnist", *options])

    first, second = (read_bundle(tmp_path / "models" / "least" / version).metadata for version in "12")
    assert (first.training["epochs"], first.training["seed"]) == (2, 7)
    assert first.layers == second.layers
    assert first.layers[1].type == "MinPooling2D"


def test_summary_of_a_recipe_is_the_textbook_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", "mnist"]) == 0

    out = capsys.readouterr().out
    assert "max_pooling2d (MaxPooling2D)" in out
    assert "Total params: 50,186 (196.04 KB)" in out


def test_summary_of_a_bundle_shows_its_own_layers(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(bundle)]) == 0

    out = capsys.readouterr().out
    assert 'Model: "digits"' in out
    assert "(None, 14, 14, 64)" in out


def test_a_bundle_verifies_on_every_test_image(bundle: Path, arrays: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(bundle), "--data", str(arrays)]) == 0

    assert "40 test images with Keras's label each" in capsys.readouterr().out


def test_a_tampered_bundle_does_not_verify(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = bytearray((bundle / "model.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (bundle / "model.onnx").write_bytes(graph)

    assert main(["verify", str(bundle)]) == 1

    assert "model.onnx has another SHA-256" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["train", "mnist", "--data", "nowhere.npz"], "nowhere.npz does not exist", id="data"),
        pytest.param(["summary", "nowhere"], "it is not a bundle", id="bundle"),
        pytest.param(["verify", "http://[", "--models", "none"], "no bundle to compare", id="repository"),
        pytest.param(["preview", "mnist", "--data", "{arrays}", "--out", "/nowhere/grid.png"], "/nowhere", id="out"),
    ],
)
def test_a_command_that_fails_says_why_in_one_sentence(
    arguments: list[str], sentence: str, arrays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument.format(arrays=arrays) for argument in arguments]) == 1

    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("command", ["preview", "view"])
def test_preview_and_its_older_name_write_a_grid_of_images(command: str, folder: Path, tmp_path: Path) -> None:
    assert main([command, "mnist", "--data", str(folder), "--out", str(tmp_path / "grid.png")]) == 0

    assert min(png_size(tmp_path / "grid.png")) > 400


@pytest.mark.parametrize("options", [["--epochs", "0"], ["--name", "Not/a/name"], ["--pooling", "median"]])
def test_options_out_of_range_are_refused(options: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["train", "mnist", *options])


def test_ctrl_c_while_training_ends_with_one_sentence_and_leaves_nothing(
    arrays: Path, tmp_path: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    models = tmp_path / "models"
    command = ["train", "mnist", "--data", str(arrays), "--models", str(models), "--epochs", "9999"]
    process = start(command)

    wait_for(process, "Epoch 3/9999")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert err.strip() == "Interrupted: nothing is left half written."
    assert not contents(models)


def test_commands_that_only_read_load_no_tensorflow() -> None:
    program = (
        "import sys; from training.cli import main, verify, inspect, import_onnx; "
        "print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]


def start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "training", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    pytest.fail(f"ended before it said {text}")

from pathlib import Path

import numpy as np
import pytest

from modelrepo.reader import read_bundle
from tests.support.images.folders import draw_folder
from training.cli.main import main
from training.data.lazy_images import Decoder
from training.evaluation.test_split import open_test_split


def test_a_folder_is_trained_verified_and_drawn(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", str(pictures), "--models", str(tmp_path / "models")]
    bundle = tmp_path / "models" / "shapes" / "1"

    trained = main(["train", *options, "--name", "shapes", "--size", "16x12", "--epochs", "2"])
    verified = main(["verify", str(bundle), *options])
    drawn = main(["preview", str(pictures), "--out", str(tmp_path / "grid.png")])

    assert (trained, verified, drawn) == (0, 0, 0)
    said = capsys.readouterr().out
    assert "cut.jpg: the image ends early, after" in said
    assert "2 classes, 16 images to learn from, 4 held out to test with" in said
    assert "4 test images with Keras's label each" in said


def test_the_metadata_records_unreadable_files_class_weights_and_speed(pictures: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"

    main(
        [
            "train",
            "--data",
            str(pictures),
            "--models",
            str(models),
            "--name",
            "shapes",
            "--size",
            "8x8",
            "--epochs",
            "1",
        ]
    )

    bundle = read_bundle(models / "shapes" / "1")
    told = bundle.metadata
    assert told.labels == ("größe 2", "squares")
    assert (told.input.height, told.input.width) == (8, 8)
    assert told.training["dataset"]["folder"]["unreadable"] == 1
    assert told.training["class_weights"][0] > 1 > told.training["class_weights"][1]
    assert told.training["throughput"].keys() == {"input_images_per_second", "network_images_per_second"}
    assert told.training["peak_memory_bytes"] > 1 << 20
    with open_test_split(bundle, pictures) as test:
        decode = Decoder(told.input, told.preprocessing)
        assert [content_type for _, content_type in test.encoded] == ["application/octet-stream"] * 4
        assert np.array_equal(np.stack([decode(content) for content, _ in test.encoded]), test.split.images[:])


def test_with_single_images_the_command_warns_that_the_test_images_are_the_training_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_folder(tmp_path / "single", {"a": 1, "b": 1})
    options = ["--data", str(tmp_path / "single"), "--models", str(tmp_path / "models"), "--size", "8x8"]

    assert main(["train", *options, "--name", "single", "--epochs", "1", "--no-class-weights"]) == 0

    assert "the figures say what it remembers, not what it has learned" in capsys.readouterr().out
    assert read_bundle(tmp_path / "models" / "single" / "1").metadata.training["validation_images"] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["train"], "name a recipe", id="nothing to train"),
        pytest.param(["train", "--data", "{pictures}"], "what to call the model", id="no name"),
        pytest.param(["train", "imagenet"], "imagenet takes a folder of pictures", id="no folder"),
        pytest.param(["train", "mnist", "--size", "8x8"], "mnist has its own data set", id="size of digits"),
        pytest.param(["preview", "nowhere"], "nowhere is not a folder", id="nothing to draw"),
    ],
)
def test_options_that_exclude_each_other_are_refused_in_one_sentence(
    arguments: list[str], sentence: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument.format(pictures=pictures) for argument in arguments]) == 1

    assert sentence in capsys.readouterr().err


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    root = draw_folder(tmp_path / "pictures", {"größe 2": 6, "squares": 14})
    (root / "squares" / "cut.jpg").write_bytes((root / "squares" / "000.jpg").read_bytes()[:300])
    return root

import subprocess
import sys
from pathlib import Path

import pytest
from onnx import TensorProto

from modelrepo.reader import read_bundle
from tests.support.bundles.third_party import Kind, classifier
from training.cli.main import main

ROOT = Path(__file__).parents[3]


def save(folder: Path, kind: Kind) -> Path:
    path = folder / "net.onnx"
    path.write_bytes(classifier(kind).SerializeToString())
    return path


def test_a_file_is_published_and_its_description_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--preset", "imagenet", "--color", "bgr", "--models", str(tmp_path / "models")]

    assert main(["import", str(save(tmp_path, Kind(batch=1))), *options]) == 0

    assert capsys.readouterr().out.splitlines() == [
        f"Published net version 1 in {tmp_path}/models/net/1",
        "  file         net.onnx, by pytorch 2.4.0, opset ai.onnx 17",
        "  input        input.1: float32 [1, 3, 16, 16], NCHW",
        "  pixels       bgr, × 0.00392157, then − 0.485, 0.456, 0.406, then ÷ 0.229, 0.224, 0.225",
        "  images       fit crop, interpolation bilinear",
        "  output       495: logits of 5 classes",
        "  labels       the classes' numbers, for no --labels were given",
        "  parameters   1,765, 46,160 multiply-adds an image",
        "  checked      8 drawn images in ONNX Runtime, together and each by itself: within 0.0e+00",
    ]
    recorded = read_bundle(tmp_path / "models" / "net" / "1").metadata.training
    assert recorded["command"] == "python -m training import net.onnx --preset imagenet --color bgr --models models"


@pytest.mark.parametrize(
    ("given", "told"), [("0.5,0.4,0.5", "0.5, 0.4, 0.5"), ("1/2,0.5,0.5", "0.5"), ("0.25", "0.25")]
)
def test_numbers_are_printed_for_each_channel_unless_they_are_equal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str, told: str
) -> None:
    options = ["--scale", "1", "--mean", given, "--models", str(tmp_path / "models")]
    main(["import", str(save(tmp_path, Kind())), *options])

    assert f"  pixels       rgb, × 1, then − {told}\n" in capsys.readouterr().out


def test_a_threshold_to_abstain_below_is_recorded_and_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--scale", "1", "--abstain-below", "0.8", "--models", str(tmp_path / "models")]
    main(["import", str(save(tmp_path, Kind())), *options])

    assert read_bundle(tmp_path / "models" / "net" / "1").metadata.output.abstain_below == 0.8
    assert "  output       495: logits of 5 classes, abstains below 0.8\n" in capsys.readouterr().out


def test_the_bundle_verifies_and_its_layers_print(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = tmp_path / "models"
    main(["import", str(save(tmp_path, Kind(dtype=TensorProto.UINT8, layout="NHWC"))), "--models", str(models)])

    assert main(["verify", str(models / "net" / "1")]) == 0
    assert main(["summary", str(models / "net" / "1")]) == 0

    out = capsys.readouterr().out
    assert "pixels       rgb, as they are" in out
    assert "8 golden images within 0.0e+00 of what its import recorded" in out
    assert "/bn1/BatchNormalization (BatchNormalization)" in out


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        pytest.param(Kind(), [], "give --preset imagenet, mnist, zero-one, or --scale", id="preprocessing"),
        pytest.param(Kind(size=None), ["--scale", "1"], "give --size HEIGHTxWIDTH", id="size"),
        pytest.param(Kind(size=3), ["--scale", "1"], "give --layout NCHW or --layout NHWC", id="layout"),
        pytest.param(Kind(ending=["Sigmoid"]), ["--scale", "1"], "give --output probabilities", id="output"),
        pytest.param(Kind(), ["--scale", "1", "--output", "probabilities"], "give --output logits", id="logits"),
        pytest.param(Kind(dtype=TensorProto.FLOAT16), ["--scale", "1"], "float16 [?, 3, 16, 16]", id="float16"),
        pytest.param(Kind(channels=4), ["--scale", "1", "--layout", "NCHW"], "has 4 channels", id="channels"),
        pytest.param(Kind(), ["--scale", "1", "--labels", "{nowhere}"], "No such file", id="labels"),
    ],
)
def test_a_missing_option_is_named_in_one_sentence(
    kind: Kind, options: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [option.format(nowhere=tmp_path / "nowhere") for option in options]

    assert main(["import", str(save(tmp_path, kind)), "--models", str(tmp_path / "models"), *given]) == 1

    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert sentence in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert said.out == ""
    assert not list((tmp_path / "models").glob("*"))


def test_an_imported_model_has_no_test_split_to_verify_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = tmp_path / "models"
    main(["import", str(save(tmp_path, Kind())), "--scale", "1", "--models", str(models)])

    assert main(["verify", str(models / "net" / "1"), "--data", "mnist.npz"]) == 1

    assert "was trained elsewhere: it has no test split" in capsys.readouterr().err


def test_a_file_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "nowhere.onnx"]) == 1

    assert "nowhere.onnx" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--size", "224"],
        ["--scale", "1/0"],
        ["--mean", "a,b"],
        ["--version", "0"],
        ["--version", "1000000000000000"],
        ["--name", "A"],
        ["--preset", "x"],
    ],
)
def test_options_out_of_range_are_refused(options: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["import", "net.onnx", *options])


def test_importing_loads_no_tensorflow() -> None:
    program = "import sys; from training.cli import main, import_onnx; print({'tensorflow', 'keras'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"

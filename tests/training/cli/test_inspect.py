import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.bundles.tiny import publish_tiny
from tests.support.images.unusual_files import file_of, photograph
from tests.support.training.plots import png_size
from training.cli.main import main

ROOT = Path(__file__).parents[3]


def test_the_mistakes_are_those_that_the_evaluation_counted(
    bundle: Path, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.html"

    assert main(["mistakes", str(bundle), "--data", str(source), "--out", str(out), "--count", "3"]) == 0

    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "on 40 test images" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["nowhere/page.html", "."])
def test_a_page_that_cannot_be_written_is_named(
    place: str, bundle: Path, arrays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tmp_path.rglob("*"))

    assert main(["mistakes", str(bundle), "--data", str(arrays), "--out", str(tmp_path / place)]) == 1

    assert "cannot be written" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_another_test_split_is_refused(
    bundle: Path, arrays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(arrays) as stored:
        changed = {name: stored[name] for name in stored.files}
    np.savez(arrays, **{**changed, "x_test": changed["x_test"][::-1]})

    assert main(["mistakes", str(bundle), "--data", str(arrays), "--out", str(tmp_path / "page.html")]) == 1

    assert "its digest differs" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_a_model_from_elsewhere_has_no_test_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = publish_tiny(tmp_path, "tiny")

    assert main(["mistakes", str(bundle), "--data", "mnist.npz", "--out", str(tmp_path / "page.html")]) == 1

    assert "was trained elsewhere: it has no test split" in capsys.readouterr().err


@pytest.mark.parametrize("given", [[], ["--image", "golden/03.png"]], ids=["filters", "maps"])
def test_filters_are_written_as_an_image_as_wide_as_a_screen(
    given: list[str], bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [str(bundle / part) if "/" in part else part for part in given]

    assert main(["filters", str(bundle), *options, "--out", str(tmp_path / "filters.png")]) == 0

    assert png_size(tmp_path / "filters.png")[0] == 1152
    assert "32 filters of 3×3×1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param([], "has no convolution in its graph", id="no-convolution"),
        pytest.param(["--image", "{tmp}/nowhere.png"], "nowhere.png: ", id="no-image"),
    ],
)
def test_a_plot_that_cannot_be_drawn_is_explained_in_one_sentence(
    options: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, out = publish_tiny(tmp_path / "models", "tiny"), tmp_path / "filters.png"
    given = [option.format(tmp=tmp_path) for option in options]

    assert main(["filters", str(bundle), *given, "--out", str(out)]) == 1

    assert sentence in capsys.readouterr().err
    assert not out.exists()


def test_an_image_of_any_kind_is_prepared_as_the_service_does(bundle: Path, tmp_path: Path) -> None:
    photo = tmp_path / "page.jpg"
    photo.write_bytes(file_of(255 - photograph()[..., 0] // 8, "JPEG"))  # of another size than the network's

    assert main(["filters", str(bundle), "--image", str(photo), "--out", str(tmp_path / "filters.png")]) == 0


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_a_file_that_is_no_image_is_named(
    content: bytes, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(content)

    assert main(["filters", str(bundle), "--image", str(broken), "--out", str(tmp_path / "filters.png")]) == 1

    said = capsys.readouterr().err
    assert "broken.png: th" in said
    assert "give another image by --image" in said


@pytest.mark.parametrize("options", [["--count", "0"], ["--count", "many"]])
def test_options_out_of_range_are_refused(options: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["mistakes", "models/mnist/1", "--data", "mnist.npz", *options])


def test_inspecting_loads_no_tensorflow() -> None:
    program = (
        "import sys; import training.cli.main, training.cli.inspect; print({'tensorflow', 'keras'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


@pytest.mark.data
def test_the_published_models_mistakes_are_the_recorded_ones(
    data_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = ROOT / "models" / "mnist" / "1"
    if not bundle.is_dir():
        pytest.skip("there is no models/mnist/1")

    out = tmp_path / "page.html"
    assert main(["mistakes", str(bundle), "--data", str(data_folder / "mnist.npz"), "--out", str(out)]) == 0

    assert "48 of 106 mistakes on 10,000 test images" in capsys.readouterr().out
    assert "98.94\u00a0%" in out.read_text(encoding="utf-8")

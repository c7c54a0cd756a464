import hashlib
from pathlib import Path

import onnx
import pytest

from tests.support.bundles.third_party import classifier
from training.errors import InvalidModel
from training.onnx_import.onnx_file import read_onnx


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "net.onnx"
    path.write_bytes(classifier().SerializeToString())
    return path


@pytest.fixture
def parted(tmp_path: Path) -> Path:
    """A model whose weights lie in a file beside it."""
    path = tmp_path / "parted.onnx"
    onnx.save_model(classifier(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path


def test_the_bundle_gets_the_file_byte_for_byte(path: Path) -> None:
    file = read_onnx(path)

    assert file.content == path.read_bytes()
    assert file.describe() == {
        "file": "net.onnx",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "producer": "pytorch 2.4.0",
        "ir_version": 8,
        "opsets": {"ai.onnx": 17},
    }


def test_weights_in_a_file_beside_it_are_included(parted: Path) -> None:
    file = read_onnx(parted)

    stored = onnx.load_model_from_string(file.content).graph.initializer
    original = classifier().graph.initializer
    assert [tensor.raw_data for tensor in stored] == [tensor.raw_data for tensor in original]
    assert file.describe()["external_data"] == ["weights.bin"]


def test_missing_weights_are_reported(parted: Path) -> None:
    (parted.parent / "weights.bin").unlink()

    with pytest.raises(InvalidModel, match=r"keeps its weights in other files, which cannot be read .* put them"):
        read_onnx(parted)


def test_weights_that_are_cut_short_are_reported(parted: Path) -> None:
    (parted.parent / "weights.bin").write_bytes(b"short")

    with pytest.raises(InvalidModel, match="put them beside it"):
        read_onnx(parted)


def test_a_file_cannot_reach_out_of_its_folder(parted: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    model = onnx.load_model(parted, load_external_data=False)
    for tensor in model.graph.initializer:
        tensor.external_data[0].value = "../weights.bin"
    (inner / "parted.onnx").write_bytes(model.SerializeToString())

    with pytest.raises(InvalidModel, match="cannot be read"):
        read_onnx(inner / "parted.onnx")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "holds no ONNX graph", id="empty"),
        pytest.param(b"PK\x03\x04" + bytes(100), "is not an ONNX file", id="zip"),
        pytest.param(classifier().SerializeToString()[:-500], "is not an ONNX file, or only part", id="cut short"),
    ],
)
def test_what_is_no_model_is_refused(content: bytes, sentence: str, path: Path) -> None:
    path.write_bytes(content)

    with pytest.raises(InvalidModel, match=sentence):
        read_onnx(path)


def test_a_file_beyond_what_onnx_can_hold_is_refused_unread(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(1 << 31)  # a hole: it takes no room

    with pytest.raises(InvalidModel, match="2,147,483,648 bytes"):
        read_onnx(path)

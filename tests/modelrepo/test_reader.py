"""The reader: a bundle whose files are not what its metadata says is not a bundle."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from modelrepo.errors import BundleNotFound, CorruptBundle, InvalidMetadata, RepositoryError
from modelrepo.reader import MAX_METADATA, read_bundle, read_metadata, read_version, record_file
from modelrepo.repository import ModelRepository
from tests.support.bundles.tiny import publish_tiny


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return publish_tiny(tmp_path, "tiny")


def test_a_published_bundle_is_read_with_its_metadata_and_golden_images(bundle: Path) -> None:
    read = read_bundle(bundle)

    assert read.metadata.name == "tiny"
    assert read.model == bundle / "model.onnx"
    assert read.digest == record_file(bundle / "model.onnx").sha256
    assert len(read.golden.images) == 3


def test_every_file_but_the_metadata_is_on_record(bundle: Path) -> None:
    metadata = read_metadata(bundle)

    assert set(metadata.files) == {"model.onnx", "golden/golden.json", *(f"golden/0{n}.png" for n in range(3))}


def change_a_byte(bundle: Path) -> None:
    model = bundle / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"?")


def cut_short(bundle: Path) -> None:
    model = bundle / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1])


def remove_a_picture(bundle: Path) -> None:
    (bundle / "golden" / "01.png").unlink()


def swap_the_metadata(bundle: Path) -> None:
    (bundle / "metadata.json").write_text("{")


def nest_without_end(bundle: Path) -> None:
    (bundle / "metadata.json").write_text("[" * 100_000)


def write_bytes_that_are_no_text(bundle: Path) -> None:
    (bundle / "metadata.json").write_bytes(b"\xff\xfe")


def grow_the_metadata(bundle: Path) -> None:
    with (bundle / "metadata.json").open("a") as file:
        file.write(" " * MAX_METADATA)


def put_a_pipe(name: str) -> Callable[[Path], None]:
    def damage(bundle: Path) -> None:
        (bundle / name).unlink()
        os.mkfifo(bundle / name)

    return damage


def link_the_graph_out(bundle: Path) -> None:
    graph = bundle / "model.onnx"
    graph.rename(bundle.parent / "model.onnx")
    graph.symlink_to("../model.onnx")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (grow_the_metadata, r"metadata\.json has [0-9,]+ bytes, more than the 4,194,304"),
        (put_a_pipe("metadata.json"), r"metadata\.json is a pipe"),
        (put_a_pipe("model.onnx"), r"model\.onnx is a pipe"),
        (put_a_pipe("golden/00.png"), r"golden/00\.png is a pipe"),
        (put_a_pipe("golden/golden.json"), r"golden/golden\.json is a pipe"),
        (link_the_graph_out, r"model\.onnx is a link out of its folder"),
        (change_a_byte, r"model\.onnx has another SHA-256"),
        (cut_short, r"model\.onnx has \d+ bytes where the metadata says \d+"),
        (remove_a_picture, r"golden/01\.png is missing"),
        (swap_the_metadata, r"metadata\.json is not JSON"),
        (nest_without_end, r"metadata\.json is not JSON"),
        (write_bytes_that_are_no_text, r"metadata\.json is not JSON"),
    ],
)
def test_damage_is_named(bundle: Path, damage: Callable[[Path], None], sentence: str) -> None:
    damage(bundle)

    with pytest.raises(CorruptBundle, match=sentence):
        read_bundle(bundle)


def test_a_folder_without_metadata_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFound, match="it is not a bundle"):
        read_bundle(tmp_path)


@pytest.mark.parametrize(("name", "version", "field"), [("other", 1, "name"), ("tiny", 2, "version")])
def test_a_bundle_in_the_wrong_folder_is_refused(bundle: Path, name: str, version: int, field: str) -> None:
    repository = ModelRepository(bundle.parent.parent)
    target = repository.path(name, version)
    target.parent.mkdir(exist_ok=True)
    bundle.rename(target)

    with pytest.raises(InvalidMetadata) as raised:
        read_version(repository, name, version)

    assert raised.value.field == field


def test_a_version_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="it is not a bundle"):
        read_version(ModelRepository(tmp_path), "mnist", 1)


def test_metadata_can_be_read_without_the_files(bundle: Path) -> None:
    (bundle / "model.onnx").unlink()

    assert read_metadata(bundle).version == 1
    assert json.loads((bundle / "metadata.json").read_text())["version"] == 1


@pytest.mark.parametrize("name", [".DS_Store", "._model.onnx", "Thumbs.db", "notes.txt"])
def test_files_that_the_metadata_does_not_name_are_never_opened(bundle: Path, name: str) -> None:
    os.mkfifo(bundle / name)

    assert name not in read_bundle(bundle).metadata.files

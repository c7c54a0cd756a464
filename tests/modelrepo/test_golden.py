"""Golden images: what is written is what is read, and nonsense is refused."""

import json
import os
from pathlib import Path

import pytest

from modelrepo.errors import CorruptBundle
from modelrepo.golden import MAX_IMAGES, MAX_INDEX, GoldenImage, GoldenSet, read_golden, write_golden

GOLDEN = GoldenSet(1e-5, (GoldenImage("00.png", b"picture", (0.1, 0.9)), GoldenImage("01.png", b"", (1.0, 0.0))))


def test_golden_images_survive_being_written_and_read(tmp_path: Path) -> None:
    write_golden(tmp_path, GOLDEN)

    assert read_golden(tmp_path) == GOLDEN


@pytest.mark.parametrize(
    "index",
    [
        pytest.param("{", id="not JSON"),
        pytest.param("[]", id="not an object"),
        pytest.param('{"images": []}', id="no tolerance"),
        pytest.param('{"tolerance": "small", "images": []}', id="tolerance as text"),
        pytest.param('{"tolerance": 1, "images": {}}', id="images as an object"),
        pytest.param('{"tolerance": 1, "images": [1]}', id="image as a number"),
        pytest.param('{"tolerance": 1, "images": [{"file": "00.png"}]}', id="no probabilities"),
        pytest.param('{"tolerance": 1, "images": [{"file": "09.png", "probabilities": [1]}]}', id="no such file"),
        pytest.param('{"tolerance": 1, "images": [{"file": "..", "probabilities": [1]}]}', id="a folder"),
        pytest.param('{"tolerance": 1, "images": [{"file": "00.png", "probabilities": [NaN]}]}', id="NaN"),
        pytest.param("[" * 100_000, id="nested without end"),
    ],
)
def test_an_index_that_makes_no_sense_is_a_corrupt_bundle(tmp_path: Path, index: str) -> None:
    write_golden(tmp_path, GOLDEN)
    (tmp_path / "golden" / "golden.json").write_text(index)

    with pytest.raises(CorruptBundle, match="golden images cannot be read"):
        read_golden(tmp_path)


def test_a_picture_is_only_looked_for_inside_the_bundle(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    write_golden(bundle, GOLDEN)
    (tmp_path / "secret.png").write_bytes(b"secret")
    index = {"tolerance": 1, "images": [{"file": "../../secret.png", "probabilities": [1]}]}
    (bundle / "golden" / "golden.json").write_text(json.dumps(index))

    with pytest.raises(CorruptBundle):
        read_golden(bundle)


def test_a_bundle_without_golden_images_is_corrupt(tmp_path: Path) -> None:
    with pytest.raises(CorruptBundle):
        read_golden(tmp_path)


def test_a_sentence_names_the_file_and_the_member(tmp_path: Path) -> None:
    write_golden(tmp_path, GOLDEN)
    (tmp_path / "golden" / "golden.json").write_text('{"tolerance": 1, "images": [{"file": "00.png"}]}')

    with pytest.raises(CorruptBundle) as raised:
        read_golden(tmp_path)

    assert str(raised.value) == (
        "golden images cannot be read: golden/golden.json: images[0].probabilities: is missing"
    )


@pytest.mark.parametrize("missing", ["golden/golden.json", "golden/00.png"])
def test_what_the_metadata_does_not_name_is_not_read(tmp_path: Path, missing: str) -> None:
    write_golden(tmp_path, GOLDEN)
    named = {"golden/golden.json", "golden/00.png", "golden/01.png"} - {missing}

    with pytest.raises(CorruptBundle, match=f"{missing} is not among the files"):
        read_golden(tmp_path, named)


def test_a_pipe_among_the_images_is_refused_at_once(tmp_path: Path) -> None:
    write_golden(tmp_path, GOLDEN)
    (tmp_path / "golden" / "01.png").unlink()
    os.mkfifo(tmp_path / "golden" / "01.png")

    with pytest.raises(CorruptBundle, match=r"golden/01\.png is a pipe"):
        read_golden(tmp_path)


def test_an_index_or_images_without_end_are_not_read(tmp_path: Path) -> None:
    write_golden(tmp_path, GOLDEN)
    os.truncate(tmp_path / "golden" / "00.png", MAX_IMAGES + 1)
    with pytest.raises(CorruptBundle, match=r"golden/00\.png has [0-9,]+ bytes, more than"):
        read_golden(tmp_path)

    os.truncate(tmp_path / "golden" / "golden.json", MAX_INDEX + 1)
    with pytest.raises(CorruptBundle, match=r"golden/golden\.json has [0-9,]+ bytes, more than"):
        read_golden(tmp_path)

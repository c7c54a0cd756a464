from pathlib import Path

import pytest

from training.data.class_names import read_labels
from training.errors import InvalidModel


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.txt"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("tench\ngoldfish, Carassius\n鮫\n", id="lines"),
        pytest.param("\ufefftench\r\ngoldfish, Carassius\r\n鮫", id="lines of Windows"),
        pytest.param('["tench", "goldfish, Carassius", "鮫"]', id="list"),
        pytest.param('{"2": "鮫", "0": "tench", "1": "goldfish, Carassius"}', id="by number"),
        pytest.param('{"0": ["n01", "tench"], "1": ["n02", "goldfish, Carassius"], "2": ["n03", "鮫"]}', id="Keras's"),
    ],
)
def test_every_usual_form_is_read(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8", newline="")

    assert read_labels(path, 3) == ("tench", "goldfish, Carassius", "鮫")


def test_without_a_file_classes_have_their_numbers() -> None:
    assert read_labels(None, 3) == ("0", "1", "2")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"a\nb\n", "has 2 labels, and the graph has 3 classes", id="too few"),
        pytest.param(b"a\nb\nc\nd\n", "has 4 labels", id="too many"),
        pytest.param(b"", "has 0 labels", id="empty"),
        pytest.param(b"a\n\nc", "has no name for class 1", id="an empty line"),
        pytest.param(b'["a", "", "c"]', "has no name for class 1", id="an empty text"),
        pytest.param(b'["a", 2, "c"]', "must hold texts, not 2", id="a number"),
        pytest.param(b'["a", [], "c"]', r"must hold texts, not \[\]", id="an empty list"),
        pytest.param(b'["a", "b"', "starts as JSON does but is none", id="cut short"),
        pytest.param(b'{"0": "a", "2": "b", "3": "c"}', "from 0 to 2, each once", id="a number left out"),
        pytest.param(b'{"a": 0, "b": 1, "c": 2}', "must name its classes from 0 to 2", id="the other way round"),
        pytest.param(b"caf\xe9\nb\nc", "is not text in UTF-8", id="Latin-1"),
    ],
)
def test_what_does_not_name_every_class_is_refused(content: bytes, sentence: str, path: Path) -> None:
    path.write_bytes(content)

    with pytest.raises(InvalidModel, match=sentence):
        read_labels(path, 3)

"""Files with class names: every form that is read, and what is refused."""

from pathlib import Path

import pytest

from training.data.class_names import read_class_names
from training.errors import InvalidData

FOLDERS = ("n01440764", "n02012849", "n03126707")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "names.txt"


@pytest.mark.parametrize("folders", [(), FOLDERS], ids=["numbers", "folders"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("tench\ngoldfish, Carassius\n<b>größe</b>\n", id="lines"),
        pytest.param("\ufefftench\r\ngoldfish, Carassius\r\n<b>größe</b>", id="lines of Windows"),
        pytest.param('["tench", "goldfish, Carassius", "<b>größe</b>"]', id="list"),
        pytest.param('{"2": "<b>größe</b>", "0": "tench", "1": "goldfish, Carassius"}', id="by number"),
        pytest.param(
            '{"0": ["n01", "tench"], "1": ["n02", "goldfish, Carassius"], "2": ["n03", "<b>größe</b>"]}', id="Keras's"
        ),
    ],
)
def test_every_form_that_has_the_names_in_order_is_read(text: str, folders: tuple[str, ...], path: Path) -> None:
    path.write_text(text, encoding="utf-8", newline="")

    assert read_class_names(path, 3, folders) == ("tench", "goldfish, Carassius", "<b>größe</b>")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "n03126707 big crane\nn02012849 bird\nn01440764 tench, Tinca tinca\n\nn09999999 other\n", id="lines"
        ),
        pytest.param(
            '{"n03126707": "big crane", "n02012849": "bird", "n01440764": "tench, Tinca tinca", "n09999999": "other"}',
            id="JSON",
        ),
    ],
)
def test_names_by_folder_may_be_in_any_order(text: str, path: Path) -> None:
    path.write_text(text)

    assert read_class_names(path, 3, FOLDERS) == ("tench, Tinca tinca", "bird", "big crane")


def test_a_name_that_folders_share_gets_the_folder(path: Path) -> None:
    path.write_text("tench\ncrane\ncrane")

    assert read_class_names(path, 3, FOLDERS) == ("tench", "crane (n02012849)", "crane (n03126707)")


def test_folders_may_have_spaces(path: Path) -> None:
    path.write_text("polar bear\tUrsus maritimus\npolar night sky\npolar bear cub young one\n")

    names = read_class_names(path, 3, ("polar", "polar bear", "polar bear cub"))

    assert names == ("night sky", "Ursus maritimus", "young one")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"a\nb\n", "has 2 names for 3 classes: write one name a line", id="too few"),
        pytest.param(b"a\nb\nc\nd\n", "has 4 names for 3 classes", id="too many"),
        pytest.param(b"", "has 0 names", id="empty"),
        pytest.param(b"a\n\nc", "has no name for class 1", id="an empty line"),
        pytest.param(b'["a", "", "c"]', "has no name for class 1", id="an empty text"),
        pytest.param(b'["a", 2, "c"]', "must hold texts, not 2", id="a number"),
        pytest.param(b'["a", [], "c"]', r"must hold texts, not \[\]", id="an empty list"),
        pytest.param(b'["a", "b"', "starts as JSON does but is none", id="cut short"),
        pytest.param(b'{"0": "a", "2": "b", "3": "c"}', "from 0 to 2, each once", id="a missing number"),
        pytest.param(b'{"a": 0, "b": 1, "c": 2}', "must name its classes from 0 to 2", id="numbers by name"),
        pytest.param(b"caf\xe9\nb\nc", "is not text in UTF-8", id="Latin-1"),
        pytest.param(b"\xff\xfe\xff", "is not text in UTF-8", id="not text"),
    ],
)
def test_a_file_that_does_not_name_every_class_is_refused(content: bytes, sentence: str, path: Path) -> None:
    path.write_bytes(content)

    with pytest.raises(InvalidData, match=sentence):
        read_class_names(path, 3)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("tench\ncrane\n", "has 2 names for 3 classes: write `FOLDER NAME` on each line", id="too few"),
        pytest.param(
            "n01440764 tench\nn03126707 crane\nn09999999 bird\n", "no line for the folder 'n02012849'", id="one missing"
        ),
    ],
)
def test_a_file_that_does_not_name_every_folder_is_refused(text: str, sentence: str, path: Path) -> None:
    path.write_text(text)

    with pytest.raises(InvalidData, match=sentence):
        read_class_names(path, 3, FOLDERS)

from pathlib import Path

import pytest

from training.data.class_names import read_class_names
from training.errors import InvalidData

FOLDERS = ("n01440764", "n02012849", "n03126707")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param(
            "n03126707 big crane\nn02012849 bird\nn01440764 tench, Tinca tinca\nn09999999 other\n",
            ("tench, Tinca tinca", "bird", "big crane"),
            id="by folder",
        ),
        pytest.param("tench\nwhite crane\n<b>größe</b>\n", ("tench", "white crane", "<b>größe</b>"), id="in order"),
        pytest.param("tench\ncrane\ncrane", ("tench", "crane (n02012849)", "crane (n03126707)"), id="shared names"),
    ],
)
def test_names_come_by_folder_or_in_the_folders_order(text: str, names: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text(text, encoding="utf-8")

    assert read_class_names(tmp_path / "names.txt", FOLDERS) == names


def test_folders_may_have_spaces(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("polar bear\tUrsus maritimus\npolar night sky\npolar bear cub young one\n")

    names = read_class_names(tmp_path / "names.txt", ("polar", "polar bear", "polar bear cub"))

    assert names == ("night sky", "Ursus maritimus", "young one")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"tench\ncrane\n", "has 2 lines for 3 folders", id="too few"),
        pytest.param(
            b"n01440764 tench\nn03126707 crane\nn09999999 bird\n",
            "no line for the folder 'n02012849'",
            id="one missing",
        ),
        pytest.param(b"\xff\xfe\xff", "is not text in UTF-8", id="not text"),
    ],
)
def test_a_file_that_does_not_name_every_folder_is_refused(content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes(content)

    with pytest.raises(InvalidData, match=sentence):
        read_class_names(tmp_path / "names.txt", FOLDERS)

"""Admin keys, of which only hashes are kept."""

import hashlib
from pathlib import Path

import pytest

from service.web.auth import InvalidKeys, read_keys


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "admin.keys"


def test_a_key_is_known_by_its_hash(file: Path) -> None:
    file.write_text(
        f"# two keys, while one takes the place of the other\n{digest('old')}\n\n{digest('new').upper()}  # b\n"
    )

    keys = read_keys(file)

    assert [keys.accepts(key) for key in ("old", "new", "", "other", digest("old"))] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "secret\n", f"{'0' * 63}\n", f"{'0' * 64}\nsecret\n", f"{'g' * 64}\n"], ids=repr
)
def test_a_file_of_anything_else_is_rejected_without_repeating_it(file: Path, text: str) -> None:
    file.write_text(text)

    with pytest.raises(InvalidKeys, match="must hold the SHA-256 of each admin key") as raised:
        read_keys(file)

    assert "secret" not in str(raised.value)


def test_the_hash_of_nothing_is_rejected(file: Path) -> None:
    file.write_text(f"{digest('good')}\n{digest('').upper()}\n")

    with pytest.raises(InvalidKeys, match="SHA-256 of an empty text"):
        read_keys(file)


def test_a_file_that_cannot_be_read_is_named(file: Path) -> None:
    with pytest.raises(InvalidKeys, match=r"admin\.keys cannot be read"):
        read_keys(file)

"""Files in the folder that the workers share: replaced whole, or left as they were, with a warning."""

import logging
from pathlib import Path

import pytest

from service.ipc.worker_warnings import WorkerWarnings
from service.ipc.workspace import atomic_write, try_write


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    for text in ("first", "second"):
        atomic_write(file, text)

    assert file.read_text() == "second"
    assert list(tmp_path.iterdir()) == [file]


def test_where_a_file_cannot_be_written_the_old_one_stays_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(path: Path, _text: str) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    file = tmp_path / "state.json"
    atomic_write(file, "old")
    monkeypatch.setattr(Path, "write_text", fill)

    with pytest.raises(OSError, match="No space left"):
        atomic_write(file, "new")

    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_is_a_warning_until_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warnings = WorkerWarnings()
    file = tmp_path / "missing" / "state.json"
    written = [try_write(file, "new", warnings) for _ in range(2)]
    sentences = warnings.sentences
    file.parent.mkdir()

    assert [*written, try_write(file, "new", warnings)] == [False, False, True]
    assert sentences.keys() == {"shared/state.json"}
    assert sentences["shared/state.json"].endswith("that the workers share, missing: No such file or directory")
    assert warnings.sentences == {}
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2  # once, and that it is in order again

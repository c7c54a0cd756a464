"""The access log: one line a request, whatever the request holds."""

import json

import pytest

from service.ipc.output import MAX_LINE
from service.telemetry.access_log import AccessLog

FACTS = {"method": "POST", "path": "/predict", "status": 200, "duration_ms": 1.5, "model": "mnist", "label": "7"}


@pytest.fixture
def lines() -> list[bytes]:
    return []


def test_a_line_of_json_holds_all_facts_and_the_time(lines: list[bytes]) -> None:
    AccessLog(lines.append, "json").write(FACTS)

    (line,) = lines
    document = json.loads(line)
    assert line.endswith(b"}\n")
    assert document.items() >= FACTS.items()
    assert document["time"].endswith("+00:00")


def test_a_line_of_text_is_for_people(lines: list[bytes]) -> None:
    AccessLog(lines.append, "text").write(FACTS)

    (line,) = lines
    assert line.endswith(b" 200 POST '/predict' 1.5 ms mnist 7\n")


def test_a_line_of_text_without_a_prediction_ends_with_the_time_taken(lines: list[bytes]) -> None:
    AccessLog(lines.append, "text").write({"method": "GET", "path": "/", "status": 404, "duration_ms": 0.1})

    assert lines[0].endswith(b" 404 GET '/' 0.1 ms\n")


@pytest.mark.parametrize("log_format", ["json", "text"])
@pytest.mark.parametrize("path", ["/a\nb", "/a\r\nb", "/\x1b[31m", "/\x00", "/\u2028", "/\ufffd", '/"'], ids=repr)
def test_a_path_with_control_characters_stays_on_its_line(lines: list[bytes], log_format: str, path: str) -> None:
    AccessLog(lines.append, log_format).write({**FACTS, "path": path})

    (line,) = lines
    assert line.count(b"\n") == 1
    assert not any(character < 32 for character in line[:-1])


@pytest.mark.parametrize(
    "path", ["/" + "a" * 8000, "/" + "\x00" * 4000, "/" + "\ufffd" * 8000], ids=["a", "nul", "bad"]
)
def test_a_path_that_is_too_long_for_a_line_is_cut(lines: list[bytes], path: str) -> None:
    AccessLog(lines.append, "json").write({**FACTS, "path": path})

    (line,) = lines
    assert len(line) <= MAX_LINE
    assert json.loads(line)["path"] == path[:512] + "…"

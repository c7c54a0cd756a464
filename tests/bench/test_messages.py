"""HTTP/1.1 as the benchmark writes and reads it."""

import pytest

from bench.messages import Request, Unanswered, check_answer, read_head
from bench.target import Target


def test_a_request_is_head_and_body() -> None:
    request = Request("/predict", "image/png", b"abc", (("X-One", "1"),))

    assert request.write(Target("::1", 8000)) == (
        b"POST /predict HTTP/1.1\r\nHost: [::1]:8000\r\nContent-Type: image/png\r\nContent-Length: 3\r\nX-One: 1\r\n"
        b"\r\nabc"
    )


def test_a_head_says_status_and_length() -> None:
    assert read_head(b"HTTP/1.1 404 Not Found\r\ncontent-length: 12\r\nDate: now\r\n\r\n") == (404, 12)


def test_an_answer_of_unknown_length_cannot_be_read() -> None:
    with pytest.raises(ConnectionError, match="without Content-Length"):
        read_head(b"HTTP/1.1 200 OK\r\n\r\n")


def test_the_body_of_a_success_is_handed_on() -> None:
    assert check_answer(200, b"{}") == b"{}"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        pytest.param(b'{"error": "too many", "code": "x"}', "503: too many", id="an error of the service"),
        pytest.param(b"<html>", "503: b'<html>'", id="an error of something else"),
        pytest.param(b"[]", r"503: b'\[\]'", id="other JSON"),
        pytest.param(b"", "503: b''", id="nothing"),
    ],
)
def test_any_other_status_is_an_error_that_says_what_came(body: bytes, sentence: str) -> None:
    with pytest.raises(Unanswered, match=f"^{sentence}$"):
        check_answer(503, body)

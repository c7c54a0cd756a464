"""Answers as bytes: complete, of a known length, and with no header that the application did not mean."""

import pytest

from service.environ import Headers
from service.server.wsgi import UnsafeHeader, write_response


def write(
    status: str = "200 OK",
    headers: Headers | None = None,
    *,
    body: bytes = b"hello",
    method: str = "GET",
    version: str = "HTTP/1.1",
    keep_alive: bool = True,
) -> tuple[list[str], bytes]:
    answer = write_response(status, headers or [], body, method=method, version=version, keep_alive=keep_alive)
    head, _, content = answer.partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), content


def test_an_answer_has_its_status_its_headers_and_its_length() -> None:
    lines, content = write(headers=[("Content-Type", "text/plain"), ("X-A", "b")])

    assert lines[0] == "HTTP/1.1 200 OK"
    assert {"Content-Type: text/plain", "X-A: b", "Content-Length: 5", "Connection: keep-alive"} <= set(lines)
    assert content == b"hello"


def test_the_length_is_the_bodys_own_whatever_the_application_says() -> None:
    lines, _ = write(headers=[("Content-Length", "99")])

    assert [line for line in lines if line.startswith("Content-Length")] == ["Content-Length: 5"]


@pytest.mark.parametrize("name", ["Date", "Connection", "Server", "Content-Length"])
def test_headers_of_the_servers_own_are_sent_once(name: str) -> None:
    lines, _ = write(headers=[(name, "7")])

    assert len([line for line in lines if line.startswith(f"{name}: ")]) == 1


def test_an_answer_to_head_has_the_length_but_no_body() -> None:
    lines, content = write(headers=[("Content-Length", "1234")], body=b"", method="HEAD")

    assert "Content-Length: 1234" in lines
    assert content == b""


@pytest.mark.parametrize("status", ["204 NO CONTENT", "304 NOT MODIFIED"])
def test_some_statuses_have_neither_body_nor_length(status: str) -> None:
    lines, content = write(status, [("Content-Length", "5")])

    assert not [line for line in lines if line.startswith("Content-Length")]
    assert content == b""


def test_the_last_answer_says_that_it_is() -> None:
    lines, _ = write(version="HTTP/1.0", keep_alive=False)

    assert lines[0] == "HTTP/1.0 200 OK"
    assert "Connection: close" in lines


@pytest.mark.parametrize("value", ["a\r\nX-Forged: 1", "a\nb", "a\rb", "a\r\n\r\n<html>"], ids=repr)
def test_a_line_break_in_a_header_is_not_sent(value: str) -> None:
    with pytest.raises(UnsafeHeader):
        write(headers=[("X-A", value)])

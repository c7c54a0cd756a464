"""HTTP on the wire: what clients and proxies do with connections, against one running service."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from preprocessing.png import encode_png
from tests.support.http.raw_client import RawConnection, Response, request
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import RunningService, running

PNG = encode_png(tiny_image(1))
PREDICT = request("POST", "/predict", PNG, content_type="image/png")
LIVE = request("GET", "/livez")
LIMIT = 100_000
CHUNKED = b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def service(models: Path) -> Iterator[RunningService]:
    with running(models, max_body_bytes=LIMIT) as service:
        yield service


@pytest.fixture
def wire(service: RunningService) -> Iterator[RawConnection]:
    with RawConnection(service.port) as wire:
        yield wire


def test_a_connection_serves_one_request_after_another(wire: RawConnection) -> None:
    labels = []
    for place in (0, 1, 2):
        wire.send(request("POST", "/predict", encode_png(tiny_image(place))))
        labels.append(wire.response().json()["predictions"][0]["label"])

    assert labels == ["left", "middle", "right"]


def test_pipelined_requests_are_answered_in_their_order(wire: RawConnection) -> None:
    wire.send(LIVE + PREDICT + request("GET", "/nowhere") + LIVE)

    answers = [wire.response() for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 200, 404, 200]
    assert answers[1].json()["predictions"][0]["label"] == "middle"


def test_a_body_may_come_in_chunks(wire: RawConnection) -> None:
    wire.send(CHUNKED)
    for start in range(0, len(PNG), 10):
        part = PNG[start : start + 10]
        wire.send(b"%x\r\n%b\r\n" % (len(part), part))
    wire.send(b"0\r\n\r\n")

    answer = wire.response()

    assert answer.json()["predictions"][0]["label"] == "middle"
    assert answer.headers["Connection"] == "keep-alive"


def test_a_request_may_come_byte_by_byte(wire: RawConnection) -> None:
    for byte in PREDICT:
        wire.send(bytes([byte]))

    assert wire.response().status == 200


def test_a_client_of_http_1_0_gets_its_answer_and_the_end_of_the_connection(wire: RawConnection) -> None:
    wire.send(b"GET /livez HTTP/1.0\r\n\r\n")

    answer = wire.response()

    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert wire.is_closed()


def test_a_client_that_wants_to_close_is_let_go(wire: RawConnection) -> None:
    wire.send(request("POST", "/predict", PNG, connection="close"))

    answer = wire.response()

    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert wire.is_closed()


def test_who_expects_100_continue_is_told_to_go_on(wire: RawConnection) -> None:
    head, body = request("POST", "/predict", PNG, expect="100-continue").split(b"\r\n\r\n", 1)
    wire.send(head + b"\r\n\r\n")
    told = wire.line(), wire.line()
    wire.send(body)

    assert told == (b"HTTP/1.1 100 Continue\r\n", b"\r\n")
    assert wire.response().status == 200


def test_who_expects_100_continue_for_too_large_a_body_is_refused_before_sending_it(wire: RawConnection) -> None:
    wire.send(request("POST", "/predict", expect="100-continue", content_length=str(LIMIT + 1)))

    answer = wire.response()

    assert (answer.status, answer.json()["code"]) == (413, "too_large")
    assert wire.is_closed()


def test_a_client_that_has_nothing_more_to_send_still_gets_its_answer(wire: RawConnection) -> None:
    wire.send(PREDICT)
    wire.socket.shutdown(socket.SHUT_WR)

    assert wire.response().status == 200
    assert wire.is_closed()


def test_a_head_request_is_answered_without_a_body(wire: RawConnection) -> None:
    wire.send(request("HEAD", "/livez") + LIVE)
    head = [wire.line() for _ in range(8)]
    lines = [line for line in head if line.strip()]

    assert lines[0] == b"HTTP/1.1 200 OK\r\n"
    assert b"true" not in b"".join(head)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        pytest.param(b"\x00\xff\x16\x03\r\n\r\n", 400, "malformed_request", id="garbage"),
        pytest.param(b"hello there\r\n\r\n", 400, "malformed_request", id="no HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"b" * 20_000, 431, "headers_too_large", id="long header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100 + b"\r\n", 431, "headers_too_large", id="many headers"),
        pytest.param(b"GET /" + b"a" * 20_000, 414, "uri_too_long", id="long path"),
        pytest.param(CHUNKED + b"zz\r\n", 400, "malformed_request", id="broken chunks"),
    ],
)
def test_what_is_no_request_is_answered_in_the_usual_form_and_the_connection_ends(
    wire: RawConnection, data: bytes, status: int, code: str
) -> None:
    wire.send(data)

    answer = wire.response()

    assert (answer.status, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"]
    assert wire.is_closed()


@pytest.mark.parametrize(
    "head", [request("POST", "/predict", content_length="50000000"), CHUNKED], ids=["length", "chunks"]
)
def test_a_client_that_goes_on_sending_too_large_a_body_can_read_why_it_is_refused(
    wire: RawConnection, head: bytes
) -> None:
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    wire.send(head)
    for _ in range(20):
        wire.send(chunk)

    answer = wire.response()

    assert (answer.status, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["Connection"] == "close"


def test_a_path_may_be_written_as_a_proxy_writes_it(wire: RawConnection) -> None:
    wire.send(request("GET", "http://test/livez"))

    assert wire.response().status == 200


def test_a_connection_that_is_reset_hurts_nobody(service: RunningService) -> None:
    for _ in range(20):
        wire = RawConnection(service.port)
        wire.send(PREDICT * 3)
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        wire.close()

    assert service.post("/predict", PNG).status == 200


@pytest.mark.parametrize("seed", range(4))
def test_damaged_requests_are_answered_in_the_usual_form_or_not_at_all(service: RunningService, seed: int) -> None:
    random = Random(seed)
    for _ in range(100):
        data = bytearray(random.choice([PREDICT, LIVE * 3, CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"]))
        for _ in range(random.randint(1, 4)):
            data[random.randrange(min(len(data), 150))] = random.randrange(256)
        with RawConnection(service.port) as wire:
            wire.send(bytes(data))
            wire.socket.shutdown(socket.SHUT_WR)
            answers = list(remaining_answers(wire))

        assert {answer.status for answer in answers}.isdisjoint({500})
        assert all(answer.headers["Content-Type"] == "application/json" for answer in answers)


def remaining_answers(wire: RawConnection) -> Iterator[Response]:
    """All answers until the connection ends."""
    with suppress(ConnectionError):
        while True:
            yield wire.response()


def test_nothing_of_all_this_stopped_the_worker(service: RunningService) -> None:
    assert service.stderr.read_text().count("Booting worker") == 1
    assert "Traceback" not in service.stderr.read_text()

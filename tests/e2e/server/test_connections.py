"""HTTP connections: what clients and proxies do with them, against one running service."""

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

    responses = [wire.response() for _ in range(4)]

    assert [response.status for response in responses] == [200, 200, 404, 200]
    assert responses[1].json()["predictions"][0]["label"] == "middle"


def test_a_body_may_come_in_chunks(wire: RawConnection) -> None:
    wire.send(CHUNKED)
    for start in range(0, len(PNG), 10):
        part = PNG[start : start + 10]
        wire.send(b"%x\r\n%b\r\n" % (len(part), part))
    wire.send(b"0\r\n\r\n")

    response = wire.response()

    assert response.json()["predictions"][0]["label"] == "middle"
    assert response.headers["Connection"] == "keep-alive"


def test_a_request_may_come_byte_by_byte(wire: RawConnection) -> None:
    for byte in PREDICT:
        wire.send(bytes([byte]))

    assert wire.response().status == 200


def test_a_client_of_http_1_0_gets_its_response_and_the_end_of_the_connection(wire: RawConnection) -> None:
    wire.send(b"GET /livez HTTP/1.0\r\n\r\n")

    response = wire.response()

    assert (response.status, response.headers["Connection"]) == (200, "close")
    assert wire.is_closed()


def test_connection_close_ends_the_connection_after_the_response(wire: RawConnection) -> None:
    wire.send(request("POST", "/predict", PNG, connection="close"))

    response = wire.response()

    assert (response.status, response.headers["Connection"]) == (200, "close")
    assert wire.is_closed()


def test_expect_100_continue_gets_100_before_the_body(wire: RawConnection) -> None:
    head, body = request("POST", "/predict", PNG, expect="100-continue").split(b"\r\n\r\n", 1)
    wire.send(head + b"\r\n\r\n")
    lines = wire.line(), wire.line()
    wire.send(body)

    assert lines == (b"HTTP/1.1 100 Continue\r\n", b"\r\n")
    assert wire.response().status == 200


def test_expect_100_continue_for_too_large_a_body_gets_413_before_the_body(wire: RawConnection) -> None:
    wire.send(request("POST", "/predict", expect="100-continue", content_length=str(LIMIT + 1)))

    response = wire.response()

    assert (response.status, response.json()["code"]) == (413, "too_large")
    assert wire.is_closed()


def test_a_client_that_has_nothing_more_to_send_still_gets_its_response(wire: RawConnection) -> None:
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

    response = wire.response()

    assert (response.status, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Request-ID"] == response.json()["request_id"]
    assert wire.is_closed()


@pytest.mark.parametrize(
    "head", [request("POST", "/predict", content_length="50000000"), CHUNKED], ids=["length", "chunks"]
)
def test_a_client_that_goes_on_sending_too_large_a_body_can_read_the_error(wire: RawConnection, head: bytes) -> None:
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    wire.send(head)
    for _ in range(20):
        wire.send(chunk)

    response = wire.response()

    assert (response.status, response.json()["code"]) == (413, "too_large")
    assert response.headers["Connection"] == "close"


def test_a_path_may_be_written_as_a_proxy_writes_it(wire: RawConnection) -> None:
    wire.send(request("GET", "http://test/livez"))

    assert wire.response().status == 200


def test_a_connection_that_is_reset_does_not_affect_others(service: RunningService) -> None:
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
            responses = list(remaining_answers(wire))

        assert {response.status for response in responses}.isdisjoint({500})
        assert all(response.headers["Content-Type"] == "application/json" for response in responses)


def remaining_answers(wire: RawConnection) -> Iterator[Response]:
    """All answers until the connection ends."""
    with suppress(ConnectionError):
        while True:
            yield wire.response()


def test_nothing_of_all_this_stopped_the_worker(service: RunningService) -> None:
    assert service.stderr.read_text().count("Booting worker") == 1
    assert "Traceback" not in service.stderr.read_text()

"""Slow and idle clients: they do not delay others, and they are disconnected in the end."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from preprocessing.png import encode_png
from tests.support.http.raw_client import RawConnection, request, send_request
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import RunningService, read_counts, running

PNG = encode_png(tiny_image(1))
PREDICT = request("POST", "/predict", PNG, content_type="image/png")
SOON = 2.0  # seconds in which a healthy worker answers, also on a machine that is busy with other tests


@pytest.fixture
def service(models: Path) -> Iterator[RunningService]:
    with running(models) as service:
        yield service


def seconds_to_answer(service: RunningService, requests: int = 20) -> float:
    """The longest time that one of some predictions takes."""
    times = []
    for _ in range(requests):
        started = time.monotonic()
        assert service.post("/predict", PNG).status == 200
        times.append(time.monotonic() - started)
    return max(times)


def test_a_client_that_sends_a_byte_a_second_does_not_keep_others_from_being_answered(service: RunningService) -> None:
    with RawConnection(service.port) as slow:
        slow.send(PREDICT[:-3])
        longest = seconds_to_answer(service)
        for byte in PREDICT[-3:]:
            time.sleep(1)
            slow.send(bytes([byte]))
            longest = max(longest, seconds_to_answer(service))

        assert slow.response().status == 200
        assert longest < SOON


def test_five_hundred_idle_connections_do_not_keep_others_from_being_answered(service: RunningService) -> None:
    with ExitStack() as idle:
        for _ in range(500):
            idle.enter_context(RawConnection(service.port))

        assert seconds_to_answer(service) < SOON


def test_more_connections_than_the_process_may_open_do_not_keep_others_from_being_answered(models: Path) -> None:
    with running(models, open_files=128) as service, ExitStack() as idle:
        for _ in range(200):
            idle.enter_context(RawConnection(service.port))

        assert seconds_to_answer(service) < SOON


def test_a_client_that_does_not_read_does_not_keep_others_from_being_answered(
    service: RunningService,
) -> None:
    with RawConnection(service.port, receive_buffer=4096) as slow:
        slow.socket.settimeout(0.5)
        with suppress(TimeoutError):  # once the service takes no more from it
            for _ in range(10_000):
                slow.send(request("GET", "/metrics") * 10)

        assert seconds_to_answer(service) < SOON


def test_a_slow_reader_gets_every_byte(service: RunningService) -> None:
    with RawConnection(service.port, receive_buffer=4096) as slow:
        slow.send(request("GET", "/metrics") * 30)
        longest = seconds_to_answer(service)

        responses = [slow.response() for _ in range(30)]

    assert {response.status for response in responses} == {200}
    assert all(response.body.endswith(b"\n") for response in responses)
    assert longest < SOON


def test_a_request_that_does_not_arrive_in_time_gets_408(models: Path) -> None:
    with running(models, read_timeout=0.2) as service, RawConnection(service.port) as slow:
        slow.send(PREDICT[:-1])

        response = slow.response()

        assert (response.status, response.json()["code"]) == (408, "request_timeout")
        assert slow.is_closed()
        assert service.post("/predict", PNG).status == 200


def test_an_idle_connection_is_closed_without_a_word(models: Path) -> None:
    with running(models, idle_timeout=0.2) as service, RawConnection(service.port) as idle:
        assert idle.is_closed()
        assert service.post("/predict", PNG).status == 200


def test_the_idlest_connection_makes_room_for_a_new_one(models: Path) -> None:
    with running(models, max_connections=2) as service:
        idle = [RawConnection(service.port) for _ in range(2)]
        for connection in idle:
            connection.send(request("GET", "/livez"))
            connection.response()

        assert send_request(service.port, "POST", "/predict", PNG).status == 200
        assert idle[0].is_closed()
        idle[1].send(PREDICT)
        assert idle[1].response().status == 200
        for connection in idle:
            connection.close()


def test_where_every_connection_is_in_use_a_new_client_waits_for_its_turn(models: Path) -> None:
    with running(models, max_connections=1) as service, RawConnection(service.port) as slow:
        slow.send(PREDICT[:-1])
        time.sleep(0.2)  # until the worker has read it: before, the connection counts as idle
        with RawConnection(service.port) as waiting:
            waiting.send(PREDICT)
            time.sleep(0.2)  # long enough for a worker that took one too many to have answered
            slow.send(PREDICT[-1:])

            assert slow.response().status == 200
            assert waiting.response().status == 200
            assert slow.is_closed()


FLOOD = 120  # connections, for a service that may hold 40
BEGINNINGS = {
    "nothing": b"",
    "a byte": b"G",
    "half a head": b"GET / HTTP/1.1\r\nHost: a\r\n",
    "half a body": PREDICT[:-1],
}


@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS.keys())
def test_a_flood_of_unfinished_requests_does_not_shut_others_out(models: Path, beginning: bytes) -> None:
    with running(models, max_connections=40) as service, ExitStack() as flood:
        for _ in range(FLOOD):
            flood.enter_context(RawConnection(service.port)).send(beginning)

        assert seconds_to_answer(service) < SOON
        assert read_counts(service, "convserve_connections_closed_total", "reason")["room"] >= FLOOD - 40


def test_uploads_that_stop_before_their_end_do_not_keep_others_from_being_answered(models: Path) -> None:
    body = PNG + bytes(100_000)
    upload = request("POST", "/predict", body, content_type="image/png")
    with running(models, max_body_bytes=200_000, max_buffered_bytes=400_000) as service, ExitStack() as clients:
        stopped = [clients.enter_context(RawConnection(service.port)) for _ in range(3)]
        for connection in stopped:
            connection.send(upload[:-100])
        time.sleep(1.2)  # until they have stalled

        assert service.post("/predict", body, content_type="image/png").status == 200
        response = stopped[0].response()
        assert (response.status, response.json()["code"]) == (503, "overloaded")


def test_few_file_descriptors_leave_enough_for_predictions(models: Path) -> None:
    with running(models, open_files=64) as service, ExitStack() as idle:
        for _ in range(100):
            idle.enter_context(RawConnection(service.port))

        assert seconds_to_answer(service) < SOON
        assert service.get("/metrics").status == 200
        assert "file descriptors" in service.get("/readyz").json()["warnings"]
        assert "Too many open files" not in service.stderr.read_text()

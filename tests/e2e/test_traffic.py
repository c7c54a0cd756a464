"""The load generator of other tests counts every lost request, repeats none, and behaves as HTTP clients do."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.load.generator import Result, failures, percentile, traffic
from tests.support.processes.service import running

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b'{"model_version": 7}'
LAST = OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)

Behaviour = Callable[[socket.socket], None]


@contextmanager
def server(behave: Behaviour) -> Iterator[tuple[int, list[float]]]:
    """What it does with each connection is given; its port, and when each connection came."""
    arrivals: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client = listener.accept()[0]
                except OSError:
                    return
                arrivals.append(time.monotonic())
                with client:
                    behave(client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], arrivals
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def load(behave: Behaviour, seconds: float = 0.3) -> tuple[list[Result], int]:
    """One keep-alive client's results, and how many connections it took."""
    with server(behave) as (port, arrivals):
        with traffic(port, rate=50, connections=1, keep_alive=True) as load:
            time.sleep(seconds)
        return load.results, len(arrivals)


def answer_once(client: socket.socket) -> None:
    client.recv(65536)
    client.sendall(OK)


def close_after_saying_so(client: socket.socket) -> None:
    client.recv(65536)
    client.sendall(LAST)
    client.recv(65536)


def answer_always(client: socket.socket) -> None:
    while client.recv(65536):
        client.sendall(OK)


def close_unasked(client: socket.socket) -> None:
    client.recv(65536)


def close_on_the_second(client: socket.socket) -> None:
    answer_once(client)
    client.recv(65536)


@pytest.mark.parametrize("behave", [answer_once, close_after_saying_so], ids=["closed while idle", "said to be closed"])
def test_a_client_sends_nothing_on_a_connection_that_it_can_know_to_be_closed(behave: Behaviour) -> None:
    results, connections = load(behave)

    assert len(results) == connections > 3
    assert failures(results) == []
    assert {result.version for result in results} == {7}


def test_a_connection_is_kept_where_the_server_keeps_it() -> None:
    results, connections = load(answer_always)

    assert connections == 1
    assert failures(results) == []
    assert [result.reused for result in results] == [False] + [True] * (len(results) - 1)


@pytest.mark.parametrize(
    ("behave", "reused"), [(close_unasked, False), (close_on_the_second, True)], ids=["new", "kept"]
)
def test_a_request_that_is_not_answered_is_a_failure_and_is_not_repeated(behave: Behaviour, reused: bool) -> None:
    results, connections = load(behave)

    lost = failures(results)
    assert len(lost) >= 3
    assert {(result.status, result.reused) for result in lost} == {(0, reused)}
    assert all("the connection ended after 0 bytes" in result.error for result in lost)
    assert connections == sum(not result.reused for result in results)


@pytest.mark.parametrize("retry", [True, False], ids=["tried again", "not tried again"])
def test_a_refused_connection_is_tried_again_where_that_is_asked_for(retry: bool) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        with traffic(listener.getsockname()[1], rate=50, connections=1, retry_refused=retry) as load:
            time.sleep(0.3)
            opened = time.monotonic()
            listener.listen()
            with listener.accept()[0] as client, closing(listener):
                answer_once(client)

    first = load.results[0]
    assert (first.status, first.ended > opened) == ((200, True) if retry else (0, False))
    assert retry or "ConnectionRefusedError" in first.error


def test_it_keeps_its_rate_with_clients_of_both_kinds(models: Path) -> None:
    with running(models, workers=2) as service, traffic(service.port, rate=300) as load:
        time.sleep(1)

    assert failures(load.results) == []
    assert 270 <= len(load.results) <= 330
    assert 0.4 < sum(result.reused for result in load.results) / len(load.results) < 0.55
    assert 0 < percentile(load.results, 0.5) <= percentile(load.results, 0.99) <= percentile(load.results, 1)

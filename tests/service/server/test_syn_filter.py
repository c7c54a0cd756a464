"""How a listening socket closes: whoever was told that he is connected is served, everyone else is refused."""

import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.server.syn_filter import drop_handshakes, stop_listening

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="socket filters are Linux's")


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    host = "127.0.0.1" if request.param == socket.AF_INET else "::1"
    try:
        made = socket.create_server((host, 0), family=request.param)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with made:
        yield made


def test_whoever_was_connected_before_is_served(listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname()[:2]) as client:
        drop_handshakes([listener])
        with listener.accept()[0] as accepted:
            client.sendall(b"request")
            accepted.sendall(accepted.recv(100))

            assert client.recv(100) == b"request"


def test_no_handshake_begins_any_more(listener: socket.socket) -> None:
    drop_handshakes([listener])

    with pytest.raises(TimeoutError):
        socket.create_connection(listener.getsockname()[:2], timeout=0.3)


def test_a_client_whose_handshake_did_not_begin_is_refused_when_it_asks_again(listener: socket.socket) -> None:
    drop_handshakes([listener])
    with ThreadPoolExecutor(1) as background:
        client = background.submit(socket.create_connection, listener.getsockname()[:2], timeout=10)
        time.sleep(0.2)
        knocking = not client.done()
        stop_listening([listener])

        assert knocking
        assert isinstance(client.exception(), ConnectionRefusedError)


def test_the_listening_ends_for_every_process_that_shares_the_socket(listener: socket.socket) -> None:
    address = listener.getsockname()[:2]
    with listener.dup() as copy:
        stop_listening([listener])

        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        with pytest.raises(OSError, match="Invalid argument"):
            copy.accept()


def test_a_socket_on_which_nobody_listens_any_more_does_no_harm(listener: socket.socket) -> None:
    with listener.dup() as copy:
        stop_listening([listener])
        drop_handshakes([copy])
        stop_listening([copy])

"""Many connections that send little: a byte each, or bodies that do not end."""

import time
from pathlib import Path

import pytest

from tests.support.attacks.attack import attack
from tests.support.attacks.floods import flood
from tests.support.http.raw_client import request
from tests.support.processes.service import RunningService, running

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
LONG_HEAD = b"GET /livez HTTP/1.1\r\nHost: test\r\n" + b"".join(
    b"X-%d: " % n + b"a" * 8000 + b"\r\n" for n in range(63)
)
BODY = request("POST", "/predict", bytes(16_000_000), content_type="image/png")


# Where the kernel's queue is full, a slow machine needs a quarter of a second to accept what is in it.
@pytest.mark.parametrize(
    ("limit", "sockets", "address"),
    [
        pytest.param(1000, 2300, HERE, id="the same address"),
        pytest.param(2000, 4300, HERE, id="the same address, a full queue", marks=pytest.mark.slow),
        pytest.param(2000, 4300, ELSEWHERE, id="another address, a full queue", marks=pytest.mark.slow),
    ],
)
def test_more_sockets_than_connections_with_a_byte_each_shut_nobody_out(
    attacked_models: Path, limit: int, sockets: int, address: str
) -> None:
    with running(attacked_models, workers=2, max_connections=limit) as service:
        with attack(service) as seen, flood(service.port, sockets, b"G", address=address):
            time.sleep(5)

        assert seen.complaints() == []


@pytest.mark.slow
def test_sockets_that_are_opened_again_and_again_shut_nobody_out(service: RunningService) -> None:
    with attack(service) as seen:
        for _ in range(3):
            with flood(service.port, 3000, b""):
                time.sleep(0.5)

    assert seen.complaints() == []


@pytest.mark.parametrize(
    "missing", [100, pytest.param(8_000_000, marks=pytest.mark.slow)], ids=["100 bytes short", "half"]
)
def test_uploads_that_stop_before_their_end_refuse_nobody_elses_body(service: RunningService, missing: int) -> None:
    with attack(service) as seen, flood(service.port, 40, BODY[:-missing]):
        time.sleep(3)
        replies = seen.send([("/predict", request("POST", "/predict", bytes(1_000_000), content_type="image/png"))] * 5)
        time.sleep(3)

    assert {reply.response.status for reply in replies if reply.response} == {400}
    assert seen.complaints() == []

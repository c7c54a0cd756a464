"""Clients that ask for large responses and do not read them, or read them slowly."""

import json
import time
from pathlib import Path

import pytest

from tests.support.attacks.attack import attack, reply_to
from tests.support.attacks.floods import flood
from tests.support.http.raw_client import RawConnection, request
from tests.support.processes.service import RunningService, running, until

TENSOR = {"name": "image", "shape": [1, 8, 8], "datatype": "UINT8", "data": [[[0] * 8] * 8]}


def infer(identifier: str) -> bytes:
    """An Open Inference request, whose `id` the response repeats."""
    document = json.dumps({"id": identifier, "inputs": [TENSOR]}).encode()
    return request("POST", "/v2/models/mnist/infer", document, content_type="application/json")


@pytest.mark.slow
def test_a_long_id_is_not_held_for_clients_that_do_not_read(service: RunningService) -> None:
    with attack(service) as seen, flood(service.port, 200, infer("a" * 400_000), read=False):
        time.sleep(8)

    assert seen.complaints() == []


def test_a_long_id_is_rejected_with_a_sentence(service: RunningService) -> None:
    reply = reply_to(service.port, infer("a" * 4_000_000))

    assert reply.response is not None
    assert reply.response.status == 400
    assert "id" in reply.response.json()["error"]


def test_a_short_id_comes_back(service: RunningService) -> None:
    reply = reply_to(service.port, infer("42"))

    assert reply.response is not None
    assert reply.response.json()["id"] == "42"


@pytest.mark.slow
def test_pipelined_requests_whose_responses_nobody_reads_take_little_memory(service: RunningService) -> None:
    with attack(service) as seen, flood(service.port, 64, request("GET", "/summary") * 500, read=False):
        time.sleep(6)

    complaints = [line for line in seen.complaints() if not line.startswith("counted")]  # theirs are counted, too
    assert complaints == []


@pytest.mark.slow
def test_a_reader_of_a_byte_a_second_is_disconnected_in_the_end(attacked_models: Path) -> None:
    with running(attacked_models, workers=2, read_timeout=5) as service:
        with RawConnection(service.port, receive_buffer=2048) as slow:
            slow.send(request("GET", "/openapi.json") * 400)
            begun = time.monotonic()

            def is_cut_off() -> bool:
                time.sleep(0.2)
                try:
                    return slow.socket.recv(512) == b""
                except ConnectionError:
                    return True

            until(is_cut_off, "the reader is disconnected", seconds=40)

        assert time.monotonic() - begun < 40
        assert service.get("/livez").status == 200

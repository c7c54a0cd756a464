"""The order in which complete requests are processed."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from service.errors import MalformedRequest
from service.server.connection import Connection
from service.server.request_queue import LARGE_BYTES, REFUSED_TURN, RequestQueue, WaitingRequest


def request(name: str, *, held: int = 300, is_compressed: bool = False) -> WaitingRequest:
    connection: Any = SimpleNamespace(name=name, held=held, request=SimpleNamespace(is_compressed=is_compressed))
    return WaitingRequest(cast(Connection, connection), since=0.0)


def large(name: str) -> WaitingRequest:
    return request(name, held=LARGE_BYTES + 1)


def refused(name: str) -> WaitingRequest:
    return request(name)._replace(error=MalformedRequest("not HTTP"))


def names(queue: RequestQueue, count: int | None = None) -> list[str]:
    taken: list[str] = []
    while (count is None or len(taken) < count) and (each := queue.next()) is not None:
        taken.append(cast(Any, each.connection).name)
    return taken


def test_requests_of_one_size_keep_their_order() -> None:
    queue = RequestQueue(limit=8)
    for name in "abc":
        queue.add(request(name))
    assert names(queue) == ["a", "b", "c"]
    assert not queue


@pytest.mark.parametrize("kind", [large("L"), request("L", is_compressed=True)], ids=["large", "compressed"])
def test_a_small_request_waits_for_one_large_one_at_most(kind: WaitingRequest) -> None:
    queue = RequestQueue(limit=8)
    for _ in range(3):
        queue.add(kind)
    assert names(queue, 1) == ["L"]
    queue.add(request("a"))
    queue.add(request("b"))
    assert names(queue) == ["a", "b", "L", "L"]


def test_a_large_request_waits_only_for_the_small_ones_of_its_time() -> None:
    queue = RequestQueue(limit=8)
    queue.add(large("L"))
    queue.add(large("M"))
    assert names(queue, 1) == ["L"]
    queue.add(request("a"))
    assert names(queue, 1) == ["a"]
    queue.add(request("b"))
    assert names(queue) == ["M", "b"]


def test_a_request_that_has_waited_before_comes_first() -> None:
    queue = RequestQueue(limit=8)
    queue.add(request("a"))
    queue.add_first(request("resumed"))
    assert names(queue) == ["resumed", "a"]


def test_refused_requests_come_behind_the_others_but_for_every_sixth_turn() -> None:
    queue = RequestQueue(limit=8)
    for number in range(2):
        queue.reject(refused(f"r{number}"))
    for number in range(REFUSED_TURN):
        queue.add(request(f"a{number}"))
    assert names(queue) == ["a0", "a1", "a2", "a3", "a4", "r0", "a5", "r1"]


def test_no_more_requests_wait_than_the_limit_says_but_for_refused_ones() -> None:
    queue = RequestQueue(limit=2)
    assert queue.add(request("a"))
    assert queue.add(large("L"))
    assert not queue.add(request("b"))
    queue.reject(refused("r"))
    queue.add_first(refused("full"))
    assert names(queue) == ["full", "a", "L", "r"]

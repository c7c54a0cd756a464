"""The queue of copies is bounded whichever way it is filled."""

from weakref import ref

import numpy as np

from service.codecs.inputs import PixelArray
from service.inference.shadow_queue import MAX_AGE, MAX_BYTES, MAX_REQUESTS, MirroredRequest, ShadowQueue
from tests.support.bundles.fake_predictors import predictor

SHADOW = predictor(version=2)


def copy(nbytes: int = 1, since: float = 0.0) -> MirroredRequest:
    return MirroredRequest("mnist", 1, [], PixelArray(np.zeros(nbytes, np.uint8)), ref(SHADOW), 2, since)


def test_copies_come_out_in_the_order_they_went_in() -> None:
    queue, copies = ShadowQueue(), [copy(), copy(), copy()]
    for each in copies:
        queue.put(each)

    assert [queue.take(), queue.take(), queue.take()] == copies
    assert len(queue) == 0


def test_there_is_room_for_so_many_copies() -> None:
    queue = ShadowQueue()
    for _ in range(MAX_REQUESTS - 1):
        queue.put(copy())

    assert queue.has_room(1)
    queue.put(copy())
    assert not queue.has_room(1)


def test_there_is_room_for_so_many_bytes_and_again_when_they_are_taken() -> None:
    queue = ShadowQueue()
    queue.put(copy(MAX_BYTES - 10))

    assert queue.has_room(10)
    assert not queue.has_room(11)
    queue.take()
    assert queue.has_room(MAX_BYTES)
    assert not queue.has_room(MAX_BYTES + 1)


def test_only_what_is_too_old_expires() -> None:
    queue, old, young = ShadowQueue(), copy(since=1.0), copy(since=2.0)
    queue.put(old)
    queue.put(young)

    assert queue.expiry == 1.0 + MAX_AGE
    assert list(queue.take_expired(1.5 + MAX_AGE)) == [old]
    assert queue.take() is young

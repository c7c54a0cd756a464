"""The comparison of encodings: its requests, order and arithmetic, with a fake service."""

from itertools import count

import pytest

from bench.clients.http_client import RequestFailed
from bench.clients.images import ImageSet
from bench.encoding_cost import (
    IMAGES,
    EncodedRequests,
    EncodingFigures,
    Timings,
    Turn,
    encode_images,
    encodings_table,
    measure_encodings,
    take_turn,
)
from bench.target import Target
from tests.support.bundles.tiny_batches import batch_files

IMAGE_SET = ImageSet(tuple(batch_files(3)), "image/png", "")


class FakeService(Target):
    """A service that has one model."""

    def get(self, path: str) -> tuple[int, bytes]:
        known = path == "/v2/models/mnist"
        return (200, b'{"inputs": [{"name": "pixels"}]}') if known else (404, b'{"error": "no such model"}')


SERVICE = FakeService("localhost", 8000)


def test_the_images_are_one_request_or_a_request_each() -> None:
    encodings = encode_images(SERVICE, "mnist", IMAGE_SET)

    assert all(len(requests.batch) == 1 and len(requests.singles) == IMAGES for requests in encodings)
    assert all(single.startswith(b"POST /") for requests in encodings for single in requests.singles)


def test_few_images_are_sent_in_turn() -> None:
    requests = next(
        each for each in encode_images(SERVICE, "mnist", IMAGE_SET) if each.encoding == "native image files"
    )

    assert requests.singles[:3] == requests.singles[3:6]
    assert requests.singles[1].endswith(IMAGE_SET.contents[1])


def test_the_tensor_has_the_name_that_the_service_gives_it() -> None:
    requests = next(each for each in encode_images(SERVICE, "mnist", IMAGE_SET) if each.encoding == "v2 JSON")

    assert b'"name":"pixels","shape":[32,8,8,1]' in requests.batch[0]


def test_a_model_that_the_service_does_not_know_is_an_error() -> None:
    with pytest.raises(RequestFailed, match="404: no such model"):
        encode_images(SERVICE, "flowers", IMAGE_SET)


ENCODINGS = [
    EncodedRequests("npy", batch=(b"<npy>",), singles=(b"<n>", b"<p>")),
    EncodedRequests("json", batch=(b"<json>",), singles=(b"<j>", b"<s>")),
]


def _timings(*ms: float, cpu_seconds: float | None = None) -> Timings:
    return Timings(images=32, sent=1000, turns=tuple(Turn(times=10, ms=each, cpu_seconds=cpu_seconds) for each in ms))


def test_batch_and_singles_of_every_encoding_take_turns_after_a_round_of_warming_up() -> None:
    sent: list[bytes] = []

    rows = measure_encodings(sent.append, lambda: None, ENCODINGS, rounds=2, seconds=0)

    assert b"".join(sent) == b"<npy><n><p><json><j><s>" * 3
    assert [row.encoding for row in rows] == ["npy", "json"]
    assert [len(row.batch.turns) for row in rows] == [2, 2]


def test_every_byte_that_is_sent_counts() -> None:
    rows = measure_encodings(lambda _: None, lambda: None, ENCODINGS, rounds=1, seconds=0)

    assert [(row.batch.sent, row.singles.sent) for row in rows] == [(5, 6), (6, 6)]


@pytest.mark.parametrize("failure", [RequestFailed("400: no image"), ConnectionError("400: no image")])
def test_a_failure_ends_the_run_and_names_the_encoding(failure: Exception) -> None:
    def exchange(request: bytes) -> None:
        if request == b"<json>":
            raise failure

    with pytest.raises(RequestFailed, match=r"^json: 400: no image$"):
        measure_encodings(exchange, lambda: None, ENCODINGS, rounds=1, seconds=0)


def test_a_turn_has_the_cpu_time_that_the_service_used_in_it() -> None:
    assert take_turn(lambda _: None, map(float, count(5)).__next__, [b"a"], seconds=0).cpu_seconds == 1.0


def test_the_ratio_is_taken_within_each_round() -> None:
    row = EncodingFigures("npy", batch=_timings(2, 4, 2), singles=_timings(10, 40, 12))

    assert list(row.ratios) == [5, 10, 6]
    assert [row.batch.ms, row.singles.ms] == [2, 12]


def test_cpu_time_is_that_of_all_rounds_for_one_image() -> None:
    assert _timings(2, 4, cpu_seconds=0.064).cpu_us == pytest.approx(200)


def test_a_service_without_cpu_time_has_a_row_too() -> None:
    row = encodings_table([EncodingFigures("npy", batch=_timings(2, 4, 2), singles=_timings(10, 40, 12))]).splitlines()[
        2
    ]

    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        *("npy", "6.0", "5.0 to 10.0"),
        *("2.00", "12.00", "16000", "2667", "–", "–", "1000", "1000"),
    ]

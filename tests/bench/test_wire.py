"""The order and the arithmetic of the comparison of encodings, with a made-up service."""

from itertools import count

import pytest

from bench.messages import Unanswered
from bench.parcels import Parcel
from bench.wire import Row, Side, Turn, measure_wire, take_turn, wire_table

PARCELS = [
    Parcel("npy", batch=(b"<npy>",), singles=(b"<n>", b"<p>")),
    Parcel("json", batch=(b"<json>",), singles=(b"<j>", b"<s>")),
]


def _side(*ms: float, cpu_seconds: float | None = None) -> Side:
    return Side(images=32, sent=1000, turns=tuple(Turn(times=10, ms=each, cpu_seconds=cpu_seconds) for each in ms))


def test_batch_and_singles_of_every_encoding_take_turns_after_a_round_of_warming_up() -> None:
    sent: list[bytes] = []

    rows = measure_wire(sent.append, lambda: None, PARCELS, rounds=2, seconds=0)

    assert b"".join(sent) == b"<npy><n><p><json><j><s>" * 3
    assert [row.encoding for row in rows] == ["npy", "json"]
    assert [len(row.batch.turns) for row in rows] == [2, 2]


def test_every_byte_that_is_sent_counts() -> None:
    rows = measure_wire(lambda _: None, lambda: None, PARCELS, rounds=1, seconds=0)

    assert [(row.batch.sent, row.singles.sent) for row in rows] == [(5, 6), (6, 6)]


@pytest.mark.parametrize("failure", [Unanswered("400: no image"), ConnectionError("400: no image")])
def test_a_failure_ends_the_run_and_names_the_encoding(failure: Exception) -> None:
    def exchange(request: bytes) -> None:
        if request == b"<json>":
            raise failure

    with pytest.raises(Unanswered, match=r"^json: 400: no image$"):
        measure_wire(exchange, lambda: None, PARCELS, rounds=1, seconds=0)


def test_a_turn_counts_what_the_service_used_meanwhile() -> None:
    assert take_turn(lambda _: None, map(float, count(5)).__next__, [b"a"], seconds=0).cpu_seconds == 1.0


def test_the_ratio_is_taken_within_each_round() -> None:
    row = Row("npy", batch=_side(2, 4, 2), singles=_side(10, 40, 12))

    assert list(row.ratios) == [5, 10, 6]
    assert [row.batch.ms, row.singles.ms] == [2, 12]


def test_cpu_time_is_that_of_all_rounds_for_one_image() -> None:
    assert _side(2, 4, cpu_seconds=0.064).cpu_us == pytest.approx(200)


def test_a_service_that_does_not_say_its_cpu_time_has_a_row_all_the_same() -> None:
    row = wire_table([Row("npy", batch=_side(2, 4, 2), singles=_side(10, 40, 12))]).splitlines()[2]

    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        *("npy", "6.0", "5.0 to 10.0"),
        *("2.00", "12.00", "16000", "2667", "–", "–", "1000", "1000"),
    ]

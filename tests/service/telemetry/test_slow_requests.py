"""A request that takes long is named in the log while it runs."""

import pytest

from service.ipc.scoreboard import Scoreboard
from service.telemetry.collectors import LogCollector
from service.telemetry.slow_requests import SLOW, SlowRequestWatch
from tests.support.processes.service import until

SLOT = 3


@pytest.fixture
def scoreboard() -> Scoreboard:
    return Scoreboard()


def look(scoreboard: Scoreboard, *times: float) -> None:
    clock = iter(times)
    watch = SlowRequestWatch(scoreboard, SLOT, lambda: next(clock))
    for _ in times:
        watch.check()


def test_a_slow_request_is_named_once(scoreboard: Scoreboard, caplog: pytest.LogCaptureFixture) -> None:
    scoreboard.requests.note(SLOT)(100.0, b"7f3c POST '/predict'")

    look(scoreboard, 100.9, 101.1, 101.6, 130.0)

    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == "slow request: 7f3c POST '/predict' has been running for 1.1 s"
    assert scoreboard.slow_requests() == 1


def test_a_request_that_is_done_is_not_named(scoreboard: Scoreboard, caplog: pytest.LogCaptureFixture) -> None:
    note = scoreboard.requests.note(SLOT)
    note(100.0, b"7f3c POST '/predict'")
    note(0.0, b"")

    look(scoreboard, 100.0 + SLOW)

    assert not caplog.records


def test_each_slow_request_is_counted(scoreboard: Scoreboard) -> None:
    note = scoreboard.requests.note(SLOT)
    watch = SlowRequestWatch(scoreboard, SLOT, lambda: 300.0)
    for began in (100.0, 200.0):
        note(began, b"words")
        watch.check()

    samples = [sample for metric in LogCollector(scoreboard).collect() for sample in metric.samples]
    assert [(each.name, each.value) for each in samples if "slow" in each.name] == [
        ("convserve_slow_requests_total", 2.0)
    ]


def test_the_words_of_a_request_are_cut_to_their_row(scoreboard: Scoreboard) -> None:
    scoreboard.requests.note(SLOT)(1.0, "é".encode() * 1000)

    current = scoreboard.requests.read(SLOT)

    assert current
    assert current.words == "é" * 124
    assert scoreboard.requests.read(SLOT + 1) is None


def test_the_line_comes_while_the_request_still_runs(scoreboard: Scoreboard, caplog: pytest.LogCaptureFixture) -> None:
    SlowRequestWatch(scoreboard, SLOT, lambda: 101.5).start()
    scoreboard.requests.note(SLOT)(100.0, b"7f3c POST '/predict'")

    until(lambda: bool(caplog.records), "the request is named")

    assert scoreboard.requests.read(SLOT)

"""The scoreboard's numbers as metrics."""

from service.ipc.scoreboard import CloseReason, ExitCause, Scoreboard
from service.telemetry.collectors import ConnectionCollector, WorkerCollector


def scrape(scoreboard: Scoreboard) -> dict[str, float]:
    """The samples by name, or by cause where they have one."""
    found = [sample for metric in WorkerCollector(scoreboard).collect() for sample in metric.samples]
    return {sample.labels.get("cause", sample.name): sample.value for sample in found}


def test_every_cause_is_there_before_its_first_death() -> None:
    assert scrape(Scoreboard()) == {"convserve_workers": 0, "signal": 0, "exit": 0, "timeout": 0, "memory": 0}


def test_deaths_are_counted_by_cause() -> None:
    scoreboard = Scoreboard()
    for cause in (ExitCause.EXIT, ExitCause.TIMEOUT, ExitCause.EXIT):
        scoreboard.count_exit(cause)

    assert scrape(scoreboard) == {"convserve_workers": 0, "signal": 0, "exit": 2, "timeout": 1, "memory": 0}


def test_only_workers_that_take_connections_are_counted() -> None:
    scoreboard = Scoreboard()
    _starting, leaving, serving = (scoreboard.claim() for _ in range(3))
    scoreboard.enter(leaving, 12)
    scoreboard.leave(leaving)
    scoreboard.enter(serving, 13)

    assert scrape(scoreboard)["convserve_workers"] == 1


def test_every_reason_to_close_a_connection_is_there_before_the_first() -> None:
    scoreboard = Scoreboard()
    scoreboard.count_closed(3, CloseReason.ROOM)

    (metric,) = ConnectionCollector(scoreboard).collect()
    found = {sample.labels["reason"]: sample.value for sample in metric.samples}
    assert found == {"head_timeout": 0, "read_timeout": 0, "write_timeout": 0, "room": 1}

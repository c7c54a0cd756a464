"""Warnings of a worker: each in the log once, and what hangs is one for as long as it does."""

import pytest

from service.ipc.worker_warnings import WorkerWarnings


def test_a_warning_is_in_the_log_once_and_again_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    warnings = WorkerWarnings()
    for sentence in ("full", "still full"):
        warnings.add("disk", sentence)
    during = warnings.sentences
    for _ in range(2):
        warnings.remove("disk")

    assert (during, warnings.sentences) == ({"disk": "still full"}, {})
    assert [record.getMessage() for record in caplog.records] == ["disk: full", "disk: in order again"]


def test_what_takes_too_long_is_a_warning_until_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    warnings = WorkerWarnings()
    with warnings.if_longer_than(0, "disk", "it does not respond"):
        during = warnings.sentences

    assert (during, warnings.sentences) == ({"disk": "it does not respond"}, {})
    assert "disk: it does not respond; it took 0 seconds" in caplog.text


def test_what_is_soon_over_is_none(caplog: pytest.LogCaptureFixture) -> None:
    warnings = WorkerWarnings()
    with warnings.if_longer_than(60, "disk", "it does not respond"):
        during = warnings.sentences

    assert (during, warnings.sentences, caplog.text) == ({}, {}, "")

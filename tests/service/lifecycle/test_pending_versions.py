"""Versions whose bundles are being tried: what is served meanwhile, and what is tried beside them."""

from pathlib import Path

import pytest

from service.lifecycle.snapshot import Fingerprint, Key
from service.lifecycle.trial_journal import LONG, PASSED, SLOW, TrialRecord
from service.lifecycle.trials import NoTrials
from tests.service.lifecycle.test_version_cache import Cache, fail, states
from tests.support.bundles.fake_predictors import publish


class FakeTrials(NoTrials):
    """Trials of which a test says how they go: by version, the seconds that each has run, else it has passed."""

    def __init__(self) -> None:
        self.ran: dict[int, float] = {}
        self.failed: set[int] = set()
        self.wanted: list[int] = []

    def begin(self) -> None:
        self.wanted = []

    def result(self, key: Key, _fingerprint: Fingerprint, _request: int, *, is_urgent: bool) -> TrialRecord:
        version = key[1]
        if version in self.failed:
            return TrialRecord("files", 0, 1.0, is_over=True, reason="it never ends", failure="timeout")
        if version not in self.ran:
            return PASSED
        self.wanted.append(version)
        return TrialRecord("files", int(is_urgent), 1.0, self.ran[version])

    def is_over(self, key: Key, _fingerprint: Fingerprint, _request: int) -> bool:
        return key[1] not in self.ran


@pytest.fixture
def trials() -> FakeTrials:
    return FakeTrials()


def test_a_version_is_pending_until_its_trial_is_over(tmp_path: Path, trials: FakeTrials) -> None:
    publish(tmp_path, "mnist", 1)
    cache = Cache(tmp_path, trials=trials)
    trials.ran = {1: 0.0}
    before = cache.load()
    trials.ran = {}

    assert states(before) == {1: "LOADING"}
    assert states(cache.load()) == {1: "READY"}


def test_a_version_that_failed_its_trial_is_not_loaded(tmp_path: Path, trials: FakeTrials) -> None:
    publish(tmp_path, "mnist", 1)
    trials.failed = {1}

    failed = Cache(tmp_path, fail, trials).load()[1]

    assert (failed.reason, failed.failure) == ("it never ends", "timeout")


def test_the_versions_that_are_served_stay_while_a_new_one_is_tried(tmp_path: Path, trials: FakeTrials) -> None:
    publish(tmp_path, "mnist", 1, 2)
    cache = Cache(tmp_path, trials=trials)
    cache.load()
    publish(tmp_path, "mnist", 3)
    trials.ran = {3: 0.0}

    assert states(cache.load()) == {1: "READY", 2: "READY", 3: "LOADING"}


def test_a_version_whose_new_files_are_tried_is_served_as_it_was(tmp_path: Path, trials: FakeTrials) -> None:
    publish(tmp_path, "mnist", 1)
    cache = Cache(tmp_path, trials=trials)
    cache.load()
    (tmp_path / "mnist" / "1" / "model.onnx").touch()
    trials.ran = {1: 0.0}

    version = cache.load()[1]

    assert (version.state, version.loading_since) == ("READY", 1.0)


def test_older_versions_are_tried_beside_slow_ones_more_and_more_of_them(tmp_path: Path, trials: FakeTrials) -> None:
    publish(tmp_path, "mnist", *range(1, 31))
    cache = Cache(tmp_path, trials=trials)
    trials.ran = dict.fromkeys(range(1, 31), 0.0)
    wanted = []
    for _ in range(4):
        cache.load()
        wanted.append(len(trials.wanted))
        trials.ran |= dict.fromkeys(trials.wanted, SLOW)

    assert wanted == [2, 6, 14, 30]


def test_slow_trials_are_no_reason_to_wait_at_the_start(tmp_path: Path, trials: FakeTrials) -> None:
    publish(tmp_path, "mnist", 1)
    cache = Cache(tmp_path, trials=trials)
    waiting = []
    for ran in (0.0, SLOW, LONG):
        trials.ran = {1: ran}
        cache.load()
        waiting.append(cache.cache.is_waiting)

    assert waiting == [True, True, False]

"""Trials: real forks of a real trial process, and the files by which workers and that process talk."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelrepo.reader import Bundle
from modelrepo.repository import ModelRepository
from service.inference.predictor import Predictor
from service.ipc.worker_warnings import WorkerWarnings
from service.lifecycle.snapshot import Key, take_fingerprint
from service.lifecycle.trial_fork import describe_exit, fork_trial
from service.lifecycle.trial_journal import PASSED, TrialFolder, TrialRecord, WantedTrial
from service.lifecycle.trials import TrialClient, TrialOptions
from service.settings import Settings
from tests.support.bundles.bad_bundles import grow, hang
from tests.support.bundles.copies import flip_a_bit
from tests.support.bundles.fake_predictors import open_fake
from tests.support.bundles.tiny import publish_tiny
from tests.support.processes.service import ROOT, children, until

GOOD: Key = ("good", 1)
HANGS: Key = ("hangs", 1)


ASK = """
import sys, time
from pathlib import Path
from tests.service.lifecycle.test_trials import HANGS, Worker
worker = Worker(Path(sys.argv[1]))
worker.ask(HANGS)
time.sleep(60)
"""


class Worker:
    """A client of trials, and what it wants."""

    def __init__(self, folder: Path, timeout: float = 60.0) -> None:
        self.models = ModelRepository(folder / "models")
        self.warnings = WorkerWarnings()
        options = TrialOptions.of(Settings(models=self.models.root, workers=1, load_timeout=timeout))
        self.client = TrialClient(folder, options, self.warnings)

    def ask(self, *keys: Key, request: int = 0) -> list[TrialRecord]:
        self.client.begin()
        prints = {key: take_fingerprint(self.models.path(*key)) for key in keys}
        records = [self.client.result(key, files, request, is_urgent=False) for key, files in prints.items()]
        self.client.end()
        return records

    def results(self, *keys: Key, request: int = 0) -> list[TrialRecord]:
        until(lambda: all(each.is_over for each in self.ask(*keys, request=request)), "all trials are over")
        return self.ask(*keys, request=request)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    publish_tiny(tmp_path / "models", *GOOD)
    hang(tmp_path / "models", *HANGS)
    return tmp_path


@pytest.fixture
def worker(folder: Path) -> Iterator[Worker]:
    worker = Worker(folder)
    yield worker
    worker.client.close()


def trial_processes(folder: Path) -> list[int]:
    """The trial process of a folder and its forks."""
    found = []
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdigit() and str(folder / "trials").encode() in (each / "cmdline").read_bytes():
                found.append(int(each.name))
        except OSError:  # it has just ended
            continue
    return found


def test_a_good_bundle_passes_and_bad_ones_fail_with_their_words(worker: Worker, folder: Path) -> None:
    grow(folder / "models", "grows", 1)
    flip_a_bit(publish_tiny(folder / "models", "damaged", 1))

    records = worker.results(GOOD, ("grows", 1), ("damaged", 1))

    assert [each.failure for each in records] == ["", "memory", "corrupt"]


def test_a_graph_that_never_ends_fails_after_the_timeout(folder: Path) -> None:
    worker = Worker(folder, timeout=0.5)

    good, endless = worker.results(GOOD, HANGS)
    worker.client.close()

    assert not good.failure
    assert (endless.failure, endless.reason[:50]) == ("timeout", "loading and verifying it took longer than 0.5 seco")


def test_a_second_worker_uses_the_results_and_the_process_of_the_first(worker: Worker, folder: Path) -> None:
    worker.results(GOOD)
    second = Worker(folder)

    (record,) = second.ask(GOOD)

    assert record.is_over
    assert second.client._process is None


def test_a_bundle_that_failed_is_tried_again_after_a_load_request_or_with_other_files(
    worker: Worker, folder: Path
) -> None:
    bundle = publish_tiny(folder / "models", "damaged", 1)
    flip_a_bit(bundle)
    key = ("damaged", 1)
    worker.results(key)

    (again,) = worker.ask(key, request=1)
    worker.results(key, request=1)
    flip_a_bit(bundle)
    (mended,) = worker.results(key)

    assert not again.is_over
    assert not mended.failure


def test_a_slow_trial_says_so_and_since_when(worker: Worker) -> None:
    began = time.time()
    until(lambda: worker.ask(HANGS)[0].ran > 0, "it is slow")

    (record,) = worker.ask(HANGS)

    assert not record.is_over
    assert began - 1 < record.since < time.time()


def test_forks_die_with_the_trial_process_and_another_worker_goes_on(folder: Path) -> None:
    first, second = Worker(folder), Worker(folder)
    first.ask(HANGS)
    until(lambda: len(trial_processes(folder)) == 2, "it is tried")
    second.ask(HANGS)
    process = first.client._process
    assert process
    forks = children(process.pid)

    process.kill()
    process.wait()
    until(lambda: not set(forks) & set(trial_processes(folder)), "its fork is gone", seconds=2)
    first.client.close()
    until(lambda: second.client.have_changed() or len(trial_processes(folder)) == 2, "it is tried again")
    second.client.close()

    until(lambda: not trial_processes(folder), "nothing is left", seconds=3)


def test_a_trial_process_ends_where_its_workers_were_killed(folder: Path) -> None:
    command = [sys.executable, "-c", ASK, str(folder)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        until(lambda: len(trial_processes(folder)) >= 2, "it is tried")

        process.kill()

    until(lambda: not trial_processes(folder), "nothing is left", seconds=3)


def test_where_trials_cannot_be_made_bundles_are_loaded_without_and_a_warning_says_so(folder: Path) -> None:
    (folder / "trials").write_text("in the way")
    worker = Worker(folder)
    worker.ask(GOOD)

    (record,) = worker.ask(GOOD)

    assert record is PASSED
    assert "without a trial" in worker.warnings.sentences["trials"]


def test_the_end_of_a_fork_has_a_word() -> None:
    ends = {code: describe_exit(code).failure for code in (-signal.SIGKILL, -signal.SIGSEGV, 1)}

    assert ends == {-signal.SIGKILL: "memory", -signal.SIGSEGV: "crash", 1: "crash"}


def test_lists_of_workers_that_are_gone_are_removed(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path)
    folder.path.mkdir()
    (folder.path / "1.lock").touch()
    (folder.path / "1.json").write_text(json.dumps([vars(WantedTrial("mnist", 1, "files", 0, urgent=False))]))

    assert folder.wanted() is None
    assert list(folder.path.iterdir()) == []


def test_a_fork_that_crashes_fails_its_trial_alone(folder: Path) -> None:
    def crash(bundle: Bundle) -> Predictor:
        os.kill(os.getpid(), signal.SIGSEGV)
        return open_fake(bundle)

    fork = fork_trial(ModelRepository(folder / "models"), crash, 1 << 28, WantedTrial(*GOOD, "", 0, urgent=False))
    ready, _, _ = select.select([fork.pipe], [], [], 20)

    assert ready
    assert fork.poll() == describe_exit(-signal.SIGSEGV)

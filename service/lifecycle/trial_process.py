"""The trial process: `python -m service.lifecycle.trial_process`, which forks one limited process for each trial.

It has imported what a trial needs, ONNX Runtime above all, and has one thread, so that a fork takes milliseconds. It
tries what the workers want (`service.lifecycle.trials`), writes the results into the journal, and ends when there is
no worker any more that wants trials, or for a while nothing wanted.
"""

import gc
import json
import logging
import select
import signal
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from modelrepo.repository import ModelRepository
from service.codecs.limits import Limits
from service.inference.runtime import warm_up_runtime
from service.lifecycle.bundle_loader import open_bundle, warm_up_decoding
from service.lifecycle.snapshot import Key
from service.lifecycle.trial_fork import TrialResult, fork_trial
from service.lifecycle.trial_journal import LONG, SLOW, TrialFolder, TrialRecord, WantedTrial
from service.lifecycle.trial_queue import Trial, TrialQueue
from service.lifecycle.trials import TrialOptions

POLL_INTERVAL = 0.01  # seconds between looks at what is wanted and what runs
IDLE_INTERVAL = 0.05  # the same where nothing runs
IDLE_SECONDS = 30.0  # without a wanted trial, after which the process ends and its memory is free
NOTICES = (SLOW, LONG)  # seconds of running that the journal says of a trial: see the readers of `ran`
LATE = 2.0  # seconds that a bundle is being tried, after which the log says so
WRITE_RETRY = 1.0  # seconds after the journal could not be written

logger = logging.getLogger("convserve")


class TrialProcess:
    """All trials of all workers."""

    def __init__(self, folder: TrialFolder, options: TrialOptions) -> None:
        self._folder = folder
        limits = Limits(options.max_pixels, options.max_request_pixels, options.max_images)
        opener = partial(open_bundle, threads=options.threads, limits=limits)
        fork = partial(fork_trial, ModelRepository(Path(options.models)), opener, options.memory)
        self._queue = TrialQueue(fork, options.timeout)
        self._records = folder.read()
        self._late: set[Key] = set()
        self._is_written = True
        self._next_write = 0.0

    def run(self) -> None:
        """Try what is wanted until nothing is, or nobody wants anything."""
        last_wanted = time.monotonic()
        while (wanted := self._folder.wanted()) is not None and time.monotonic() < last_wanted + IDLE_SECONDS:
            self._queue.want(self._undecided(wanted))
            for trial, result in self._queue.advance().items():
                self._finish(trial, result)
            for each in self._queue.trials.values():
                self._notice(each)
            self._write()
            if self._queue.trials:
                last_wanted = time.monotonic()
            select.select(self._queue.pipes(), [], [], POLL_INTERVAL if self._queue.trials else IDLE_INTERVAL)
        self._queue.want([])

    def _undecided(self, wanted: list[WantedTrial]) -> list[WantedTrial]:
        """The wanted trials that there is no result of; each has a record, to be written when there is more to say."""
        undecided = []
        for each in wanted:
            record = self._records.get(each.key)
            if record is None or not record.is_of(each.files, each.request):
                record = self._records[each.key] = TrialRecord(each.files, each.request, time.time())
            if not record.is_over:
                undecided.append(each)
        return undecided

    def _finish(self, wanted: WantedTrial, result: TrialResult) -> None:
        record = replace(self._records[wanted.key], is_over=True, reason=result.reason, failure=result.failure)
        self._keep(wanted.key, record)
        if wanted.key in self._late:
            self._late.remove(wanted.key)
            outcome = f"failed: {result.reason}" if result.failure else "passed"
            logger.warning(
                "%s version %s was tried for %.1f s and %s", *wanted.key, time.time() - record.since, outcome
            )

    def _notice(self, trial: Trial) -> None:
        """Say in the journal, and in the log, that a trial takes longer than others."""
        key = trial.wanted.key
        record = self._records[key]
        ran = max((seconds for seconds in NOTICES if trial.used >= seconds), default=0.0)
        if ran > record.ran:
            self._keep(key, replace(record, ran=ran))
        if key not in self._late and time.time() > record.since + LATE:
            self._late.add(key)
            logger.warning("%s version %s is loading slowly: it is being tried for %g s already", *key, LATE)

    def _keep(self, key: Key, record: TrialRecord) -> None:
        self._records[key] = record
        self._is_written = False

    def _write(self) -> None:
        """Write the journal where it has changed; where the disk is full, later."""
        if self._is_written or time.monotonic() < self._next_write:
            return
        try:
            self._folder.write(self._records)
        except OSError as error:
            self._next_write = time.monotonic() + WRITE_RETRY
            logger.warning("the results of trials cannot be written: %s", error)
        else:
            self._is_written = True


def main() -> None:
    """Be the trial process: `FOLDER LOCK OPTIONS`; the lock is an inherited descriptor, which stays open."""
    folder, _lock, options = sys.argv[1:]
    logging.basicConfig(format="[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s")  # much as gunicorn's own
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the workers decide
    warm_up_decoding()
    warm_up_runtime()
    gc.freeze()  # else a collection in a fork copies all of it
    TrialProcess(TrialFolder(Path(folder).parent), TrialOptions(**json.loads(options))).run()


if __name__ == "__main__":
    main()

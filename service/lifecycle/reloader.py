"""The model reloader: a thread loads what changes in the repository, and the worker's loop puts it in effect.

The thread polls the repository and the model control, loads, verifies and warms up. The loop replaces the contents of
the registry between two requests, once all other workers have loaded the same, so that a client of several workers sees
one change and no going back and forth.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from service.inference.registry import ModelRegistry, RegistryContents
from service.lifecycle.model_control import ControlFile
from service.lifecycle.planner import Plan, Planner
from service.lifecycle.worker_status import WorkerStatuses
from service.memory import release_memory

POLL_INTERVAL = 0.05  # seconds between looks at the model control
PENDING_POLL_INTERVAL = 0.01  # seconds between looks at the other workers' statuses, while a plan waits for them
RECOVERY = 1.0  # seconds after an unexpected error
START_PATIENCE = 1.5  # seconds that the start of a worker waits for bundles that are tried for the first time
START_TIMEOUT = 600.0  # seconds that a worker may load before its first request: as long as a reload waits for it
BEAT_INTERVAL = 1.0  # seconds between heartbeats meanwhile
STOP_TIMEOUT = 2.0  # seconds that the end of a worker waits for a load under way
SWAP_TIMEOUT = 30.0  # seconds that a plan waits for the other workers, one of which may be stuck

logger = logging.getLogger("convserve")


class ModelReloader:
    """One worker's reloader, an event source of its loop. After `begin`, all but `on_readable` happens in a thread."""

    def __init__(
        self,
        planner: Planner,
        registry: ModelRegistry,
        control_file: ControlFile,
        statuses: WorkerStatuses,
        *,
        interval: float,
        on_plan: Callable[[Plan], None],
    ) -> None:
        """`interval` is the seconds between polls of the repository, 0 for none; `on_plan` is called by the loop."""
        self._planner = planner
        self._registry = registry
        self._control_file = control_file
        self._statuses = statuses
        self._interval = interval
        self._on_plan = on_plan
        self._thread = threading.Thread(target=self._run, name="model-reloader", daemon=True)
        self._swapped = threading.Event()
        self._ended = threading.Event()
        self._next_poll = 0.0
        self._prepared_at = 0.0
        self._is_reported = False
        self._retired: RegistryContents | None = None

    def begin(self, beat: Callable[[], None] = lambda: None) -> None:
        """Load what there is and put it in effect, before the first request.

        Bundles that have not been tried before have a moment for it; what takes longer is loaded while others serve.
        Large ones that have passed their trial are loaded now: `beat` is called meanwhile, as the heartbeat.
        """
        over = threading.Event()
        threading.Thread(target=_beat, args=(beat, over), name="heartbeat", daemon=True).start()
        try:
            self._adopt(self._load_first())
        finally:
            over.set()

    def _load_first(self) -> Plan:
        plan = self._planner.start(self._control_file.read())
        patience = time.monotonic() + START_PATIENCE
        while self._planner.is_waiting and time.monotonic() < patience:
            time.sleep(PENDING_POLL_INTERVAL)
            if self._planner.has_results():
                attempts, plan = plan.attempts, self._planner.resume(self._control_file.read())
                plan = replace(plan, attempts=[*attempts, *plan.attempts])
        return plan

    def start(self) -> int:
        """Apply the control requests since `begin`, and start the thread.

        The worker is on the scoreboard by now, so that requests wait for its status, and serves no client yet. Returns
        the descriptor that is readable when `on_readable` is to be called.
        """
        control = self._control_file.read()
        if control.generation != self._prepared.generation:
            self._adopt(self._planner.apply(control))
        self._read_end, self._write_end = os.pipe()
        self._thread.start()
        return self._read_end

    def on_readable(self) -> None:
        """Put the prepared plan in effect. The thread waits for it, and releases what was served before."""
        os.read(self._read_end, 1)
        self._retired = self._put_in_effect()
        self._swapped.set()

    def stop(self) -> None:
        """Stop the thread, and wait a moment for it: the process must not end in the middle of a load."""
        self._ended.set()
        self._thread.join(STOP_TIMEOUT)
        self._planner.close()

    def _adopt(self, plan: Plan) -> None:
        """Put a plan in effect before this worker takes its first request.

        A worker starts even where the disk is full and its status cannot be written; the thread will try again.
        """
        self._prepared = plan
        self._put_in_effect()
        self._report()

    def _put_in_effect(self) -> RegistryContents:
        plan = self._served = self._prepared
        self._on_plan(plan)
        return self._registry.replace(plan.versions, plan.policy, plan.problems, plan.required)

    # In the thread

    def _run(self) -> None:
        while not self._ended.wait(PENDING_POLL_INTERVAL if self._is_pending else POLL_INTERVAL):
            try:
                self._step()
            except Exception:  # the thread must not end, for nothing would start it again
                logger.exception("cannot follow the model repository; what is loaded is served on")
                self._ended.wait(RECOVERY)

    @property
    def _is_pending(self) -> bool:
        """Whether a plan waits to be put in effect."""
        return self._prepared is not self._served

    def _step(self) -> None:
        plan = self._make_plan()
        if plan and plan.digest != self._prepared.digest:
            self._prepare(plan)
        if self._is_pending and self._may_swap():
            self._hand_over()
        if not self._is_reported:
            self._report()

    def _make_plan(self) -> Plan | None:
        """A new plan, where the repository is to be polled or there are new control requests."""
        control = self._control_file.read()
        if self._interval and time.monotonic() >= self._next_poll:
            plan = self._planner.follow(control)
            self._next_poll = time.monotonic() + max(self._interval, self._planner.pause)
            return plan
        if control.generation != self._prepared.generation:
            return self._planner.apply(control)
        return self._planner.resume(control) if self._planner.has_results() else None

    def _prepare(self, plan: Plan) -> None:
        if self._is_pending:  # the plan before was never in effect, but its attempts are to be counted
            plan = replace(plan, attempts=[*self._prepared.attempts, *plan.attempts])
        else:
            self._prepared_at = time.monotonic()
        self._prepared = plan
        self._report()

    def _may_swap(self) -> bool:
        if self._prepared.served_digest == self._served.served_digest:  # only failures or problems are others
            return True
        all_prepared = all(status.prepared == self._prepared.served_digest for status in self._statuses.read())
        return all_prepared or not self._is_reported or time.monotonic() > self._prepared_at + SWAP_TIMEOUT

    def _hand_over(self) -> None:
        """Have the loop call `on_readable`, then release what was served before."""
        self._swapped.clear()
        os.write(self._write_end, b"!")
        while not self._swapped.wait(POLL_INTERVAL):
            if self._ended.is_set():
                return
        self._report()
        self._retired = None
        release_memory()

    def _report(self) -> None:
        self._is_reported = self._statuses.write(self._prepared.served_digest, self._served.generation, self._registry)


def _beat(beat: Callable[[], None], over: threading.Event) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not over.wait(BEAT_INTERVAL) and time.monotonic() < deadline:
        beat()

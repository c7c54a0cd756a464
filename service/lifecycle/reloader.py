"""Follows the repository and the operators' orders beside the loop that answers requests.

A thread looks, loads, verifies and warms up. The loop itself puts the result in effect, between two requests, once all
other workers have come as far, so that a client of several workers sees one change and no flicker.

Memory that is free in the process, given back to the system.
"""

import ctypes
import gc
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache

from service.inference.registry import Contents, ModelRegistry
from service.lifecycle.model_control import ControlFile
from service.lifecycle.planner import Plan, Planner
from service.lifecycle.worker_status import WorkerStatus, WorkerStatuses, describe_versions

POLL_INTERVAL, PENDING_POLL_INTERVAL = (
    0.05,
    0.01,
)  # seconds between looks at orders; and at the other workers, while one waits for them
RECOVERY = 1.0  # seconds after an error that nobody expected
STOP_TIMEOUT = 2.0  # seconds that the end of a worker waits for a load under way
SWAP_TIMEOUT = (
    30.0  # seconds that a worker waits for the others: a large model takes each its time; a stuck one is killed
)

logger = logging.getLogger("convserve")


class ModelReloader:
    """One worker's; an event source of its loop. After `begin`, all but `on_readable` happens in a thread."""

    def __init__(
        self,
        planner: Planner,
        registry: ModelRegistry,
        orders: ControlFile,
        reports: WorkerStatuses,
        *,
        interval: float,
        on_plan: Callable[[Plan], None],
    ) -> None:
        """`interval` is the seconds between looks at the repository, 0 for none; `on_plan` is called by the loop."""
        self._planner = planner
        self._registry = registry
        self._orders = orders
        self._reports = reports
        self._interval = interval
        self._on_plan = on_plan
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._swapped = threading.Event()
        self._ended = threading.Event()
        self._next_look = 0.0
        self._prepared_at = 0.0
        self._is_reported = False
        self._retired: Contents | None = None

    def begin(self) -> None:
        """Load what there is and have it in effect, before the first request."""
        self._adopt(self._planner.start(self._orders.read()))

    def start(self) -> int:
        """Catch up with the orders since `begin`, and start the thread.

        The worker is on the scoreboard, so that an order waits for it, and takes no requests yet. Returns the
        descriptor that is readable when `on_readable` is to be called.
        """
        book = self._orders.read()
        if book.last != self._prepared.order:
            self._adopt(self._planner.obey(book))
        self._read_end, self._write_end = os.pipe()
        self._thread.start()
        return self._read_end

    def on_readable(self) -> None:
        """Have the prepared plan in effect. The thread waits for it, and lets go of what was served before."""
        os.read(self._read_end, 1)
        self._retired = self._take_effect()
        self._swapped.set()

    def stop(self) -> None:
        """Stop following, and wait a moment for the thread: the process must not end in the middle of a load."""
        self._ended.set()
        self._thread.join(STOP_TIMEOUT)

    def _adopt(self, plan: Plan) -> None:
        """Have a plan in effect before this worker takes its first request.

        A worker starts also where the disk is full just now, and cannot tell the others; the thread will try again.
        """
        self._prepared = plan
        self._take_effect()
        with suppress(OSError):
            self._report()

    def _take_effect(self) -> Contents:
        plan = self._served = self._prepared
        self._on_plan(plan)
        return self._registry.replace(plan.versions, plan.policy, plan.problems, plan.required)

    # In the thread

    def _run(self) -> None:
        while not self._ended.wait(PENDING_POLL_INTERVAL if self._is_pending else POLL_INTERVAL):
            try:
                self._step()
            except Exception:  # the thread must not end: nobody would notice
                logger.exception("cannot follow the model repository; what is loaded is served on")
                self._ended.wait(RECOVERY)

    @property
    def _is_pending(self) -> bool:
        """Whether a plan waits to have effect."""
        return self._prepared is not self._served

    def _step(self) -> None:
        plan = self._look()
        if plan and plan.digest != self._prepared.digest:
            self._prepare(plan)
        if self._is_pending and self._may_swap():
            self._hand_over()
        if not self._is_reported:
            self._report()

    def _look(self) -> Plan | None:
        """The plan, where it is time to make one."""
        book = self._orders.read()
        if self._interval and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + self._interval
            return self._planner.follow(book)
        return self._planner.obey(book) if book.last != self._prepared.order else None

    def _prepare(self, plan: Plan) -> None:
        if self._is_pending:  # it is overtaken, and what was tried for it still counts
            plan = replace(plan, attempts=[*self._prepared.attempts, *plan.attempts])
        else:
            self._prepared_at = time.monotonic()
        self._prepared = plan
        self._report()

    def _may_swap(self) -> bool:
        ready = all(report.prepared == self._prepared.digest for report in self._reports.read())
        return ready or time.monotonic() > self._prepared_at + SWAP_TIMEOUT

    def _hand_over(self) -> None:
        self._swapped.clear()
        os.write(self._write_end, b"!")
        while not self._swapped.wait(POLL_INTERVAL):
            if self._ended.is_set():
                return
        self._report()
        self._retired = None
        release_memory()

    def _report(self) -> None:
        self._is_reported = False
        self._reports.write(WorkerStatus(self._prepared.digest, self._served.order, describe_versions(self._registry)))
        self._is_reported = True


def release_memory() -> None:
    """Collect cycles and return free pages, which glibc otherwise keeps for later (malloc_trim(3))."""
    gc.collect()
    _malloc_trim()(0)


@cache
def _malloc_trim() -> Callable[[int], object]:
    """The function of glibc; other C libraries need none, or have none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)

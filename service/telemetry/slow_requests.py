"""Names a request in the log as soon as it takes long, while it still runs: it may never end by itself."""

import logging
import threading
import time
from collections.abc import Callable

from service.ipc.scoreboard import Scoreboard

SLOW = 1.0  # seconds from which on a request is named
POLL_INTERVAL = 0.25  # seconds between looks at the request that runs

logger = logging.getLogger("convserve")


class SlowRequestWatch:
    """A thread beside one worker's loop, which is busy with the request; looks at the worker's row of requests."""

    def __init__(self, scoreboard: Scoreboard, slot: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._scoreboard = scoreboard
        self._slot = slot
        self._clock = clock
        self._named = 0.0  # when the request began that was named last

    def start(self) -> None:
        """Look from now on, until the process ends."""
        threading.Thread(target=self._run, name="slow-requests", daemon=True).start()

    def check(self) -> None:
        """Name the request that runs, if it takes long and has not been named."""
        request = self._scoreboard.requests.read(self._slot)
        if request is None or request.began == self._named:
            return
        seconds = self._clock() - request.began
        if seconds < SLOW:
            return
        self._named = request.began
        self._scoreboard.count_slow_request(self._slot)
        logger.warning("slow request: %s has been running for %.1f s", request.words, seconds)

    def _run(self) -> None:
        while True:
            time.sleep(POLL_INTERVAL)
            self.check()

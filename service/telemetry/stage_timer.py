"""Where the time of one request goes."""

import time


class StageTimer:
    """A stopwatch with named laps; a stage that comes again adds to its time."""

    def __init__(self, queue: float) -> None:
        self.seconds = {"queue": queue}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Book the time since the last lap on a stage."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now

    def server_timing(self) -> str:
        """The value of a Server-Timing header (W3C Server Timing), in milliseconds."""
        return ", ".join(f"{stage};dur={seconds * 1000:.3f}" for stage, seconds in self.seconds.items())

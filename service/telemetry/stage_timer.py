"""How long each stage of one prediction request takes."""

import time
from enum import StrEnum


class Stage(StrEnum):
    """The stages of a prediction request in the order in which they come, as the metric's label has them."""

    QUEUE = "queue"
    DECODE = "decode"
    PREPROCESS = "preprocess"
    INFER = "infer"
    ENCODE = "encode"


class StageTimer:
    """Seconds by stage; the time of a stage that comes again is added."""

    def __init__(self, queue_seconds: float) -> None:
        self.seconds = {Stage.QUEUE: queue_seconds}
        self._last = time.perf_counter()

    def record(self, stage: Stage) -> None:
        """Add the time since the last call, or since the start, to a stage."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now

    def server_timing(self) -> str:
        """The value of a Server-Timing header (W3C Server Timing), in milliseconds."""
        return ", ".join(f"{stage};dur={seconds * 1000:.3f}" for stage, seconds in self.seconds.items())

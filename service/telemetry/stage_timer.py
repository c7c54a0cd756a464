"""How long each stage of one prediction request takes."""

from collections.abc import Mapping
from enum import StrEnum


class Stage(StrEnum):
    """The stages of a prediction request in the order in which they come, as the metric's label has them."""

    QUEUE = "queue"
    DECODE = "decode"
    PREPROCESS = "preprocess"
    INFER = "infer"
    ENCODE = "encode"

    __hash__ = str.__hash__  # the one of Enum is written in Python, and each request looks stages up a dozen times


# The stages of one request with the time at which each ended, in seconds of perf_counter; a stage may come again. A
# plain list, because appending to it is all that the predictor does for the times, several times an image.
Timeline = list[tuple[Stage, float]]


def seconds_by_stage(timeline: Timeline, queue_seconds: float) -> dict[Stage, float]:
    """The seconds of each stage after the first entry, which is the end of the queue; times of one stage are added."""
    seconds = {Stage.QUEUE: queue_seconds}
    last = timeline[0][1]
    for stage, ended in timeline[1:]:
        seconds[stage] = seconds.get(stage, 0.0) + ended - last
        last = ended
    return seconds


def server_timing(seconds: Mapping[Stage, float]) -> str:
    """The value of a Server-Timing header (W3C Server Timing), in milliseconds."""
    return ", ".join(f"{stage};dur={value * 1000:.3f}" for stage, value in seconds.items())

"""Load during a test: real clients in a separate process, on a fixed schedule.

The schedule is open loop: a service that stalls does not get fewer requests. A client has one request under way at a
time; a request that becomes due meanwhile is sent late, and its latency counts from when it was due.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from preprocessing.png import encode_png
from tests.support.http.raw_client import request
from tests.support.images.drawn import tiny_image

ROOT = Path(__file__).parents[3]
PNG = encode_png(tiny_image(1))
STOP_SECONDS = 60.0  # more than a client waits for one response


@dataclass(frozen=True)
class Result:
    """One request. The three times are of time.monotonic(), which all processes of a machine share."""

    due: float
    sent: float  # when its first byte was sent, or in vain a connection was asked for
    ended: float
    status: int  # 0 where no answer came
    error: str  # why none came
    version: int | None  # `model_version` of the answer
    reused: bool  # whether the connection had carried a request before

    @property
    def seconds(self) -> float:
        """Latency from when the request was due, so that a stall counts for every request that was due meanwhile."""
        return self.ended - self.due


@dataclass
class Load:
    """Traffic under way; `results` has every request, by the time it was due, once it has ended."""

    results: list[Result] = field(default_factory=list)


@contextmanager
def traffic(
    port: int,
    path: str = "/predict",
    body: bytes = PNG,
    *,
    rate: float = 300.0,
    connections: int = 8,
    keep_alive: bool | Literal["both"] = "both",
    retry_refused: bool = False,
    host: str = "127.0.0.1",
    timeout: float = 30.0,
    method: str = "POST",
    **headers: str,
) -> Iterator[Load]:
    """`rate` requests a second over so many clients; with "both", every other one closes after each response.

    A client never repeats a request, and counts it as lost after `timeout` seconds without a byte. With `retry_refused`
    it connects again where a connection is refused, only then. On a connection that the server said it closes, or has
    closed before the request, it sends nothing more.
    """
    kinds = [True, False] if keep_alive == "both" else [keep_alive]
    order = {
        "host": host,
        "port": port,
        "timeout": timeout,
        "interval": 1 / rate,
        "connections": connections,
        "retry_refused": retry_refused,
        "requests": [(_request(method, path, body, kind, headers).decode("latin-1"), kind) for kind in kinds],
    }
    command = [sys.executable, "-m", "tests.support.load.client_process"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        load = Load()
        try:
            _send_settings(process, order)
            yield load
            said, _ = process.communicate(timeout=STOP_SECONDS)
            load.results.extend(sorted((Result(*each) for each in json.loads(said)), key=lambda result: result.due))
        finally:
            process.kill()


def failures(results: Iterable[Result]) -> list[Result]:
    """Requests without a response of status 200."""
    return [result for result in results if result.status != 200]


def between(results: Iterable[Result], begin: float, end: float) -> list[Result]:
    """Requests that were due from `begin` to `end`, times of time.monotonic()."""
    return [result for result in results if begin <= result.due < end]


def percentile(results: Sequence[Result], share: float) -> float:
    """Seconds of latency that `share` (0 to 1) of the requests do not exceed (nearest rank)."""
    ordered = sorted(result.seconds for result in results)
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)]


def _request(method: str, path: str, body: bytes, keep_alive: bool, headers: dict[str, str]) -> bytes:
    closing = {} if keep_alive else {"connection": "close"}
    return request(method, path, body, **{"content_type": "image/png", **headers, **closing})


def _send_settings(process: "subprocess.Popen[str]", order: dict[str, object]) -> None:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("no pipes to the clients")
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()
    if process.stdout.readline() != "begun\n":
        raise RuntimeError("the clients did not start; what they said is above")

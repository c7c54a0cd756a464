"""A load generator with asyncio, in a process of its own, for machines without wrk.

It costs several times wrk's CPU a request, so on few cores its figures are lower; compare them only with each other.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from bench.clients.http_client import CONNECTION_CLOSE, HEAD_END, Request, read_head
from bench.clients.images import Workload
from bench.clients.traffic import Traffic, parse_report, percentile
from bench.target import Target, parse_target

RECONNECT_DELAY = 0.05  # seconds before a failed connection is opened again


@dataclass
class Tally:
    """Latencies in seconds and errors of all connections so far."""

    latencies: list[float] = field(default_factory=list)
    errors: int = 0


def post_with_asyncio(target: Target, workload: Workload, connections: int, seconds: float) -> Traffic:
    """Post the workload over keep-alive connections, closed loop."""
    with tempfile.TemporaryDirectory(prefix="convserve-bench-") as folder:
        workload.write(Path(folder))
        arguments = [target.url, workload.path, workload.content_type, folder, str(connections), str(seconds)]
        command = [sys.executable, "-m", "bench.clients.asyncio_generator", *arguments]
        finished = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return parse_report(finished.stdout)


async def post(target: Target, requests: Iterator[bytes], connections: int, seconds: float) -> Traffic:
    """Keep `connections` connections busy for `seconds`."""
    tally = Tally()
    begun = time.perf_counter()
    await asyncio.gather(*(_keep_posting(target, requests, begun + seconds, tally) for _ in range(connections)))
    p50, p99, most = (percentile(tally.latencies, share) * 1000 for share in (0.5, 0.99, 1))
    return Traffic(len(tally.latencies), time.perf_counter() - begun, p50, p99, most, tally.errors)


async def _keep_posting(target: Target, requests: Iterator[bytes], until: float, tally: Tally) -> None:
    while time.perf_counter() < until:
        try:
            await _post_until(target, requests, until, tally)
        except (OSError, EOFError, ValueError):
            tally.errors += 1
            await asyncio.sleep(RECONNECT_DELAY)


async def _post_until(target: Target, requests: Iterator[bytes], until: float, tally: Tally) -> None:
    """Post one request after the other on one connection, until the service closes it."""
    reader, writer = await asyncio.open_connection(target.host, target.port)
    try:
        while (begun := time.perf_counter()) < until:
            writer.write(next(requests))
            status, closed = await _read_response(reader)
            tally.latencies.append(time.perf_counter() - begun)
            tally.errors += status != 200
            if closed:
                return
    finally:
        writer.close()


async def _read_response(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Status of one whole response and whether the service closes the connection after it.

    Raises EOFError, ConnectionError or ValueError where it is malformed.
    """
    head = await reader.readuntil(HEAD_END)
    status, length = read_head(head)
    await reader.readexactly(length)
    return status, CONNECTION_CLOSE.search(head) is not None


def main() -> None:
    """The process that `post_with_asyncio` starts."""
    url, path, content_type, folder, connections, seconds = sys.argv[1:]
    target = parse_target(url)
    requests = [Request(path, content_type, file.read_bytes()).write(target) for file in Path(folder).iterdir()]
    traffic = asyncio.run(post(target, cycle(requests), int(connections), float(seconds)))
    print(json.dumps(traffic.__dict__))


if __name__ == "__main__":
    main()

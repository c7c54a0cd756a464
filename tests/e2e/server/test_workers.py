"""Several workers: nothing is counted twice or lost, and connections are spread evenly."""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from preprocessing.png import encode_png
from tests.support.http.raw_client import RawConnection, Response, request
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import RunningService, free_port, running, until

PNG = encode_png(tiny_image(1))
MIXED = {  # one request for each status
    200: request("POST", "/predict", PNG),
    400: request("POST", "/predict", b"no image"),
    404: request("GET", "/nowhere"),
    405: request("GET", "/predict"),
    413: request("POST", "/predict", content_length="1000000000", connection="close"),
    415: request("POST", "/predict", b"<p>", content_type="text/html"),
}
REQUESTS = 1000


def send_mixed(service: RunningService, count: int) -> Counter[int]:
    """Send requests of all kinds over 8 connections at a time; returns how many got which status."""

    def send(data: bytes) -> Response:
        with RawConnection(service.port) as wire:
            wire.send(data)
            return wire.response()

    with ThreadPoolExecutor(8) as senders:
        responses = senders.map(send, itertools.islice(itertools.cycle(MIXED.values()), count))
        return Counter(answer.status for answer in responses)


def counted(service: RunningService) -> Counter[int]:
    """What /metrics says of requests by status, without the questions that this test asks itself."""
    found: Counter[int] = Counter()
    for labels, value in re.findall(
        r"^http_requests_total\{(.*)\} (.*)$", service.get("/metrics").body.decode(), re.MULTILINE
    ):
        if not re.search(r'route="/(metrics|readyz)"', labels):
            found[int(re.findall(r'status="(\d+)"', labels)[0])] += int(float(value))
    return found


def test_a_thousand_mixed_requests_are_counted_exactly_and_a_killed_worker_loses_none(models: Path) -> None:
    with running(models, workers=3) as service:
        sent = send_mixed(service, REQUESTS)
        before = counted(service)
        killed = service.workers()[0]
        os.kill(killed, signal.SIGKILL)
        until(lambda: len(set(service.workers()) - {killed}) == 3, "the killed worker is replaced")
        after = counted(service)
        sent_again = send_mixed(service, 60)

        assert sent.total() == REQUESTS
        assert sent.keys() == MIXED.keys()
        assert before == sent
        assert after == sent
        assert counted(service) == sent + sent_again


def test_a_reload_loses_no_request_and_no_count(models: Path) -> None:
    sent: Counter[int] = Counter()

    def are_replaced(old: set[int]) -> bool:
        sent.update(send_mixed(service, 60))
        return old.isdisjoint(service.workers())

    with running(models, workers=2, drain_timeout=2) as service:
        old = set(service.workers())
        service.process.send_signal(signal.SIGHUP)
        until(lambda: are_replaced(old), "new workers have taken over")

        assert sent.total() >= 120
        assert sent.keys() == MIXED.keys()
        assert counted(service) == sent


def sockets_of(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(descriptor.readlink()))
        except FileNotFoundError:  # closed in between
            continue
    return {name.removeprefix("socket:[").removesuffix("]") for name in found if name.startswith("socket:")}


def connections_of(pid: int, port: int) -> int:
    """How many established connections to a port a process holds."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"}
    return len(inodes & sockets_of(pid))


def busiest(service: RunningService, workers: list[int], connections: int) -> int:
    """Open keep-alive connections, predict over each, and see how many the worker with the most of them holds."""
    with ExitStack() as clients:
        wires = [clients.enter_context(RawConnection(service.port)) for _ in range(connections)]
        for wire in wires:
            wire.send(request("POST", "/predict", PNG))
        assert {wire.response().status for wire in wires} == {200}
        held = [connections_of(pid, service.port) for pid in workers]
        assert sum(held) == connections
        return max(held)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc to see who holds a connection")
def test_keep_alive_connections_spread_over_the_workers(models: Path) -> None:
    with running(models, workers=2) as service:
        trials = [busiest(service, service.workers(), 32) for _ in range(3)]

        assert sorted(trials)[1] <= 0.65 * 32


def test_every_process_is_in_the_metrics(models: Path) -> None:
    with running(models, workers=2) as service:
        text = service.get("/metrics").body.decode()

        memory = dict(re.findall(r'^process_resident_memory_bytes\{worker="(\w+)"\} (\S+)$', text, re.MULTILINE))
        assert memory.keys() == {"master", "0", "1"}
        assert all(float(value) > 10_000_000 for value in memory.values())


@contextmanager
def prometheus(folder: Path, target: int) -> Iterator[str]:
    """A Prometheus that scrapes a port of this machine five times a second; its address."""
    config = {"global": {"scrape_interval": "200ms"}, "scrape_configs": [{"job_name": "convserve"}]}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{target}"]}]  # type: ignore[index]
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def query(address: str, expression: str) -> float | None:
    """The one value of a PromQL expression; None where there is none yet."""
    url = f"{address}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            result = json.load(response)["data"]["result"]
    except OSError:
        return None
    return float(result[0]["value"][1]) if result else None


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus on the PATH")
def test_a_real_prometheus_counts_what_was_sent(models: Path, tmp_path: Path) -> None:
    expression = 'sum(http_requests_total{route!~"/metrics|/readyz"})'
    with running(models, workers=3) as service, prometheus(tmp_path, service.port) as address:
        sent = send_mixed(service, 120)

        until(lambda: query(address, expression) == sent.total(), "Prometheus has counted all")

        assert query(address, expression) == 120
        assert query(address, 'sum(http_requests_total{status="413"})') == sent[413]
        assert query(address, "sum(up)") == 1

"""NVIDIA's perf_analyzer where it is installed, and the calls that it makes."""

import json
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Event
from typing import Any

import pytest

from tests.support.http.raw_client import RawConnection, request
from tests.support.images.drawn import SIDE
from tests.support.processes.service import RunningService

TOOL = shutil.which("perf_analyzer")
WINDOWS = 4
WINDOW_SECONDS = 0.3
COUNTED = ("success", "queue", "compute_input", "compute_infer", "compute_output")


@pytest.mark.skipif(TOOL is None, reason="needs perf_analyzer (PyPI: perf-analyzer, which needs glibc 2.38)")
def test_perf_analyzer_measures_without_an_error(service: RunningService) -> None:
    load = ["--concurrency-range", "2", "--request-count", "200"]
    command = [str(TOOL), "-m", "mnist", "-u", f"127.0.0.1:{service.port}", "-i", "http", *load]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    counted = re.findall(r"Successful request count: (\d+)", ended.stdout)
    assert int(counted[-1]) > 0


def test_the_calls_that_perf_analyzer_makes_are_answered_as_it_needs(service: RunningService) -> None:
    """Metadata, configuration and server first; then statistics window by window while its connections infer."""
    before = _count(_poll(service, seconds=0), "success")
    first = [service.get(path).json() for path in ("/v2/models/mnist", "/v2/models/mnist/config", "/v2")]
    with ThreadPoolExecutor(2) as pool:
        done = Event()
        sent = [pool.submit(_infer_until, done, service.port) for _ in range(2)]
        polls = [_poll(service) for _ in range(WINDOWS)]
        done.set()
        total = sum(each.result() for each in sent)

    metadata, config, server = first
    assert "statistics" in server["extensions"]
    assert [each["name"] for each in config["input"]] == [each["name"] for each in metadata["inputs"]]
    assert [each["name"] for each in config["output"]] == [each["name"] for each in metadata["outputs"]]
    assert isinstance(config["max_batch_size"], int)
    assert "sequence_batching" not in config
    for earlier, later in pairwise(polls):
        grown = {_count(later, name) - _count(earlier, name) for name in COUNTED}
        assert len(grown) == 1  # it stops where the stages' counts do not agree
        assert grown.pop() > 0  # and where nothing was counted in a window
    assert _count(_poll(service, seconds=0), "success") - before == total


def _infer_until(done: Event, port: int) -> int:
    """Send the tool's request over one connection again and again; returns how often."""
    pixels = bytes(SIDE * SIDE)
    tensor = {"name": "image", "datatype": "UINT8", "shape": [1, SIDE, SIDE, 1]}
    parameters = {"binary_data_size": len(pixels)}
    wanted = {"name": "probabilities", "parameters": {"binary_data": True}}
    header = json.dumps({"id": "", "inputs": [{**tensor, "parameters": parameters}], "outputs": [wanted]}).encode()
    named = {"inference_header_content_length": str(len(header)), "content_type": "application/octet-stream"}
    sent = 0
    with RawConnection(port) as connection:
        while not done.is_set():
            connection.send(request("POST", "/v2/models/mnist/infer", header + pixels, **named))
            response = connection.response()
            assert response.status == 200, response.body
            assert len(response.body) - int(response.headers["Inference-Header-Content-Length"]) == 12
            sent += 1
    return sent


def _poll(service: RunningService, seconds: float = WINDOW_SECONDS) -> dict[str, Any]:
    """The statistics after a window, for which the tool opens a connection of its own."""
    time.sleep(seconds)
    rows = service.get("/v2/models/mnist/stats").json()["model_stats"]
    newest: dict[str, Any] = max(rows, key=lambda row: int(row["version"]))
    return newest


def _count(row: dict[str, Any], name: str) -> int:
    return int(row["inference_stats"][name]["count"])

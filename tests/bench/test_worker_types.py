"""The comparison of workers: whose turn it is, what is counted, and one short run with real servers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.clients.images import Workload
from bench.clients.traffic import Traffic
from bench.commands import run_workers
from bench.options import read_options
from bench.target import Target
from bench.worker_types import GUNICORN, OURS, Server, measure, session_cpu, table

WORKLOAD = Workload("/predict", "image/png", (b"a",), 1)
SERVERS = {name: Server(Target("localhost", port), lambda: 1.0) for name, port in (("one", 1), ("two", 2))}


def _generate(target: Target, _workload: Workload, _connections: int, seconds: float) -> Traffic:
    return Traffic(requests=100 * target.port, seconds=seconds, p50_ms=0.5, p99_ms=2, max_ms=9, errors=0)


def test_servers_take_turns_at_each_level() -> None:
    turns = measure(_generate, SERVERS, WORKLOAD, [1, 8], 2.0, rounds=2)

    order = [(turn.level.connections, turn.worker) for turn in turns]
    assert order == [(1, "one"), (1, "two")] * 2 + [(8, "one"), (8, "two")] * 2


def test_the_table_has_the_medians_of_the_rounds() -> None:
    turns = measure(_generate, SERVERS, WORKLOAD, [1], 2.0, rounds=3)

    rows = [row.split("|")[1:-1] for row in table(turns, [1]).splitlines()[2:]]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["one", "1", "0", "50", "0.50", "2.0", "0"],
        ["two", "1", "0", "100", "0.50", "2.0", "0"],
    ]


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs Linux's /proc")
def test_the_cpu_time_of_a_session_is_that_of_its_processes() -> None:
    program = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=-1, stdout=-1, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()

        assert 0.1 < session_cpu(process.pid) < 1
        process.communicate(b"\n")


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs Linux's /proc")
def test_all_kinds_of_workers_are_measured(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONVSERVE_")}
    arguments = ["workers", "--models", str(models), "--data", str(tmp_path), "--results", str(tmp_path)]
    short = ["--workers", "1", "--connections", "2", "--rounds", "1", "--seconds", "0.5", "--generator", "asyncio"]

    status = run_workers(read_options([*arguments, *short], {}), environment)

    assert status == 0
    assert OURS in capsys.readouterr().out
    (results,) = tmp_path.glob("*-workers.json")
    turns = json.loads(results.read_text())["figures"]["rounds"]
    assert [turn["worker"] for turn in turns] == [OURS, *GUNICORN]
    assert all(turn["level"]["cpu_us"] > 0 for turn in turns)

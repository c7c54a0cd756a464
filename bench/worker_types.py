"""`bench workers`: the same application under this project's worker and under gunicorn's own, all running, in turn."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from bench.clients.images import Workload
from bench.clients.traffic import Generator
from bench.load import WARM_UP, Level, measure_level
from bench.report import format_number, format_table
from bench.service_process import free_port, running_command, service_settings
from bench.target import Target

TURN_SECONDS = 2.0  # of load for one server, until it is the next one's turn
IDLE_SECONDS, IDLE_SHARE = 0.5, 0.05  # all workers have loaded when they take less than this share of a CPU for so long
APPLICATION = "bench.wsgi_application:build()"
OURS = "LoopWorker"
GUNICORN = {  # reuse_port: else most connections go to one worker
    "sync (no keep-alive)": ("--worker-class", "sync"),
    "gthread, 1 thread": ("--worker-class", "gthread", "--threads", "1", "--reuse-port"),
    "gthread, 4 threads": ("--worker-class", "gthread", "--threads", "4", "--reuse-port"),
}
_SESSION, _USER, _SYSTEM = 3, 11, 12  # fields of /proc/<pid>/stat after the name; proc_pid_stat(5)


@dataclass(frozen=True)
class Server:
    """A running server, and the CPU seconds of all its processes until now."""

    target: Target
    cpu: Callable[[], float]


@dataclass(frozen=True)
class Turn:
    """One round of load for one server."""

    worker: str
    level: Level


@contextmanager
def running_servers(environment: Mapping[str, str], models: Path, workers: int) -> Iterator[dict[str, Server]]:
    """Start one server for each kind of worker; yields them when all their workers have loaded the models."""
    with ExitStack() as stack:
        servers = {}
        for name in (OURS, *GUNICORN):
            target = Target("127.0.0.1", free_port())
            variables = {**environment, **service_settings(target, models, workers)}
            pid, _ = stack.enter_context(running_command(_command(name, target, workers), variables, target))
            servers[name] = Server(target, partial(session_cpu, pid))
            _wait_until_idle(servers[name])
        yield servers


def _command(name: str, target: Target, workers: int) -> list[str]:
    if name == OURS:
        return [sys.executable, "-m", "service"]
    common = ["--workers", str(workers), "--bind", f"{target.host}:{target.port}", "--no-control-socket"]
    return [sys.executable, "-m", "gunicorn", *common, *GUNICORN[name], APPLICATION]


def session_cpu(session: int, proc: Path = Path("/proc")) -> float:
    """CPU seconds, user and system, of all living processes of a session."""
    ticks = 0
    for stat in proc.glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[_SESSION]) == session:
            ticks += int(fields[_USER]) + int(fields[_SYSTEM])
    return ticks / os.sysconf("SC_CLK_TCK")


def _wait_until_idle(server: Server) -> None:
    used = server.cpu()
    while True:
        time.sleep(IDLE_SECONDS)
        before, used = used, server.cpu()
        if used - before < IDLE_SHARE * IDLE_SECONDS:
            return


def measure(
    generate: Generator,
    servers: Mapping[str, Server],
    workload: Workload,
    levels: Sequence[int],
    seconds: float,
    *,
    rounds: int,
) -> list[Turn]:
    """Load each server in turn, `rounds` times at each level, after a warm-up; two servers are never loaded at once."""
    for server in servers.values():
        generate(server.target, workload, max(levels), min(WARM_UP, seconds))
    return [
        Turn(name, measure_level(generate, server.target, workload, connections, seconds, cpu=server.cpu))
        for connections in levels
        for _ in range(rounds)
        for name, server in servers.items()
    ]


def table(turns: Sequence[Turn], levels: Sequence[int]) -> str:
    """A row for each kind of worker and level: medians of the rounds."""
    head = ("worker", "connections", "CPU µs an image", "requests/s", "p50 ms", "p99 ms", "errors")
    names = dict.fromkeys(turn.worker for turn in turns)
    rows = [
        _row(name, [turn.level for turn in turns if turn.worker == name and turn.level.connections == connections])
        for connections in levels
        for name in names
    ]
    return format_table(head, rows)


def _row(name: str, rounds: Sequence[Level]) -> tuple[str, ...]:
    known = [level.cpu_us for level in rounds if level.cpu_us is not None]
    traffic = [level.traffic for level in rounds]
    return (
        name,
        str(rounds[0].connections),
        format_number(median(known) if known else None),
        format_number(median(each.requests / each.seconds for each in traffic)),
        format_number(median(each.p50_ms for each in traffic), 2),
        format_number(median(each.p99_ms for each in traffic), 1),
        str(sum(each.errors for each in traffic)),
    )

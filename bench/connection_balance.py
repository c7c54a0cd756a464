"""`bench spread`: how evenly keep-alive connections are distributed over the workers."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from http.client import HTTPConnection

from bench.report import format_table
from bench.target import Target, count_connections, count_workers

Counts = tuple[int, ...]  # connections a worker, descending
Connect = Callable[[list[HTTPConnection]], None]


class ConnectionsNotVisible(Exception):
    """The connections of the service's processes cannot be read here, as /proc does not show them."""


def measure_balance(target: Target, connections: int, trials: int, connect: Connect) -> list[Counts]:
    """Open the connections anew in each trial and count them by worker; raises ConnectionsNotVisible."""
    workers = count_workers(target)
    return [_trial(target, connections, workers, connect) for _ in range(trials)]


def all_at_once(connections: list[HTTPConnection]) -> None:
    """Open all connections, then send a request on each, as a load generator or a restarted proxy does."""
    for connection in connections:
        connection.connect()
    for connection in connections:
        connection.request("GET", "/livez")
    for connection in connections:
        connection.getresponse().read()


def one_by_one(connections: list[HTTPConnection]) -> None:
    """Send a request on each connection before the next is opened, as independent clients do."""
    for connection in connections:
        connection.request("GET", "/livez")
        connection.getresponse().read()


ARRIVAL_PATTERNS: dict[str, Connect] = {"all at once": all_at_once, "one by one": one_by_one}


def largest_share(trials: list[Counts]) -> float:
    """The largest part (0 to 1) of the connections that one worker held in any trial."""
    return max(counts[0] / sum(counts) for counts in trials)


def balance_table(trials: dict[str, list[Counts]]) -> str:
    """A row for each arrival pattern: the counts of all trials, and the largest share."""
    rows = [(name, _listed(counts), f"{largest_share(counts):.0%}") for name, counts in trials.items()]
    return format_table(("arriving", "connections a worker: trials", "largest share"), rows)


def _listed(trials: list[Counts]) -> str:
    """`17:15 ×3` for each outcome, the most even first."""
    outcomes = sorted(set(trials))
    return ", ".join(f"{':'.join(map(str, counts))} ×{trials.count(counts)}" for counts in outcomes)


def _trial(target: Target, connections: int, workers: int, connect: Connect) -> Counts:
    _wait_until_none(target)
    with ExitStack() as stack:
        clients = [HTTPConnection(target.host, target.port, timeout=30) for _ in range(connections)]
        for client in clients:
            stack.enter_context(closing(client))
        connect(clients)
        counts = sorted(count_connections(target.port).values(), reverse=True)
    if sum(counts) != connections:
        raise ConnectionsNotVisible(
            f"of {connections} connections {sum(counts)} are visible: run this where the service's workers run"
        )
    return (*counts, *[0] * (workers - len(counts)))


def _wait_until_none(target: Target) -> None:
    """Wait until the connections of the previous trial are closed."""
    until = time.monotonic() + 5
    while count_connections(target.port) and time.monotonic() < until:
        time.sleep(0.02)

"""How keep-alive connections spread over the workers; piled up on one, they leave the other's CPU unused."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from http.client import HTTPConnection

from bench.exposition import count_workers
from bench.sockets import count_connections
from bench.table import layout
from bench.target import Target

Counts = tuple[int, ...]  # connections a worker, descending
Arrive = Callable[[list[HTTPConnection]], None]


class Unseen(Exception):
    """The service's processes cannot be looked into from here."""


def measure_spread(target: Target, connections: int, trials: int, arrive: Arrive) -> list[Counts]:
    """Open the connections anew in each trial and see who holds them; raises Unseen."""
    workers = count_workers(target)
    return [_trial(target, connections, workers, arrive) for _ in range(trials)]


def all_at_once(connections: list[HTTPConnection]) -> None:
    """As a load generator or a restarted proxy does: connect everything, then ask on everything."""
    for connection in connections:
        connection.connect()
    for connection in connections:
        connection.request("GET", "/livez")
    for connection in connections:
        connection.getresponse().read()


def one_by_one(connections: list[HTTPConnection]) -> None:
    """As single clients come: each is answered before the next connects."""
    for connection in connections:
        connection.request("GET", "/livez")
        connection.getresponse().read()


ARRIVALS: dict[str, Arrive] = {"all at once": all_at_once, "one by one": one_by_one}


def worst_share(trials: list[Counts]) -> float:
    """The largest part of the connections that one worker held in any trial."""
    return max(counts[0] / sum(counts) for counts in trials)


def spread_table(trials: dict[str, list[Counts]]) -> str:
    """A row a way of arriving: every trial's counts, and the worst share."""
    rows = [(name, _listed(counts), f"{worst_share(counts):.0%}") for name, counts in trials.items()]
    return layout(("arriving", "connections a worker: trials", "worst share"), rows)


def _listed(trials: list[Counts]) -> str:
    """`17:15 ×3` for each outcome, the evenest first."""
    outcomes = sorted(set(trials))
    return ", ".join(f"{':'.join(map(str, counts))} ×{trials.count(counts)}" for counts in outcomes)


def _trial(target: Target, connections: int, workers: int, arrive: Arrive) -> Counts:
    _await_none(target)
    with ExitStack() as stack:
        clients = [HTTPConnection(target.host, target.port, timeout=30) for _ in range(connections)]
        for client in clients:
            stack.enter_context(closing(client))
        arrive(clients)
        counts = sorted(count_connections(target.port).values(), reverse=True)
    if sum(counts) != connections:
        raise Unseen(f"of {connections} connections {sum(counts)} are seen: run this where the service's workers run")
    return (*counts, *[0] * (workers - len(counts)))


def _await_none(target: Target) -> None:
    """Wait until the connections of the trial before are gone."""
    until = time.monotonic() + 5
    while count_connections(target.port) and time.monotonic() < until:
        time.sleep(0.02)

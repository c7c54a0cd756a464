"""Which connections are closed first where connections, file descriptors or memory run short.

Only connections that wait for their client: never one whose request is complete. Within a group the address that holds
most comes first, and of its connections the slowest: the one without progress for longest. So many connections of one
client do not shut others out, and behind a load balancer, where all have one address, the slow make room for the fast.
"""

import heapq
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice

from service.server.connection import NEVER, SMALL_BYTES, Connection

IDLE_SECONDS = 1.0  # a client that has been idle for longer does not miss its connection
STALLED_SECONDS = 1.0  # without progress; a client that retransmits a lost packet is back sooner
CROWDED_SECONDS = 0.1  # the same for a head, which one packet holds, and where many connections are unfinished
CROWD = 32  # unfinished connections
SEARCH_INTERVAL = 0.02  # seconds between two searches that find none


class Eviction:
    """Finds the connections to close; a search serves more than one need."""

    def __init__(
        self,
        connections: Collection[Connection],
        limit: int,
        close: Callable[[Connection], None],
        refuse: Callable[[Connection], None],
    ) -> None:
        """`limit` is that of the memory in bytes; `close` frees slot and memory, `refuse` memory, with an error."""
        self._connections = connections
        self._limit = limit
        self._close = close
        self._refuse = refuse
        self._victims: list[tuple[Connection, float]] = []  # the first is the last; each with its last progress
        self._next_slot_search = self._next_memory_search = 0.0

    def can_free_slot(self) -> bool:
        """Whether there is a connection that can be closed for a new one."""
        return self._find_victim() is not None

    def free_slot(self) -> bool:
        """Close the connection that is needed least; False where all are needed."""
        victim = self._find_victim()
        if victim:
            self._close(victim)
        return victim is not None

    def free_memory(self, connection: Connection, excess: int) -> bool:
        """Free so many bytes for the request of a connection, held by others without progress; whether it was done.

        For a small request, need be, also those with progress are closed: they hold more.
        """
        now = time.monotonic()
        if now < self._next_memory_search:
            return False
        is_small = max(excess, connection.held) <= SMALL_BYTES
        freed = self._free(connection, excess, now, STALLED_SECONDS) or (
            is_small and self._free(connection, excess, now, 0.0)
        )
        self._next_memory_search = 0.0 if freed else now + SEARCH_INTERVAL
        return freed

    def free_memory_for_response(self, connection: Connection, excess: int) -> bool:
        """The same for a response, which is computed already: need be, also those with progress are closed."""
        now = time.monotonic()
        return self._free(connection, excess, now, STALLED_SECONDS) or self._free(connection, excess, now, 0.0)

    def _free(self, connection: Connection, excess: int, now: float, seconds: float) -> bool:
        """Free somewhat more, so that not every part of a body needs a search; nothing where it is not enough."""
        victims, freed = [], 0
        for victim in order_for_memory(self._connections, now, seconds):
            if freed >= max(excess, self._limit // 64):
                break
            if victim is not connection:
                victims.append(victim)
                freed += victim.held
        for victim in victims if freed >= excess else ():
            (self._close if victim.sending else self._refuse)(victim)
        return freed >= excess

    def _find_victim(self) -> Connection | None:
        victim = self._first_valid()
        now = time.monotonic()
        if victim is None and now >= self._next_slot_search:
            count = 1 + len(self._connections) // 8
            victims = [(each, each.since) for each in islice(order_for_slots(self._connections, now), count)]
            self._victims = victims[::-1]
            self._next_slot_search = 0.0 if victims else now + SEARCH_INTERVAL
            victim = self._first_valid()
        return victim

    def _first_valid(self) -> Connection | None:
        """The next victim of the last search that has still not made progress."""
        while self._victims:
            connection, since = self._victims[-1]
            if connection.since == since and connection.deadline != NEVER and connection in self._connections:
                return connection
            self._victims.pop()
        return None


def order_for_slots(connections: Collection[Connection], now: float) -> Iterator[Connection]:
    """Idle connections, then unfinished ones without progress, then those that have been used just now."""
    weights: dict[str, int] = defaultdict(int)
    idle: list[Connection] = []
    unfinished: list[Connection] = []
    for connection in connections:
        weights[connection.address[0]] += 1
        if connection.deadline != NEVER:
            (idle if connection.idle else unfinished).append(connection)
    crowded = len(unfinished) >= CROWD
    stalled = [each for each in unfinished if now - each.since >= _patience(each, crowded)]
    groups = (
        [each for each in idle if now - each.since >= IDLE_SECONDS],
        stalled,
        [each for each in idle if now - each.since < IDLE_SECONDS],
    )
    for group in groups:
        yield from _slowest_of_largest(group, weights, lambda _: 1)


def order_for_memory(
    connections: Iterable[Connection], now: float, stalled_seconds: float = STALLED_SECONDS
) -> Iterator[Connection]:
    """Connections without progress for so many seconds that hold memory for an unfinished request or response."""
    weights: dict[str, int] = defaultdict(int)
    stalled = []
    for connection in connections:
        if connection.held:
            weights[connection.address[0]] += connection.held
            if connection.deadline != NEVER and now - connection.since >= stalled_seconds:
                stalled.append(connection)
    return _slowest_of_largest(stalled, weights, lambda connection: connection.held)


def _patience(connection: Connection, crowded: bool) -> float:
    in_head = connection.request.started and not connection.request.head_complete
    return CROWDED_SECONDS if crowded or in_head or connection.lingering else STALLED_SECONDS


def _slowest_of_largest(
    candidates: list[Connection], weights: dict[str, int], weigh: Callable[[Connection], int]
) -> Iterator[Connection]:
    """Of the address with the largest weight the slowest candidate, and so on, as if each were closed then."""
    waiting: dict[str, list[Connection]] = defaultdict(list)
    for connection in sorted(candidates, key=lambda each: each.since, reverse=True):
        waiting[connection.address[0]].append(connection)
    heap = [(-weights[address], each[-1].since, address) for address, each in waiting.items()]
    heapq.heapify(heap)
    while heap:
        weight, _, address = heap[0]
        connection = waiting[address].pop()
        yield connection
        if waiting[address]:
            heapq.heapreplace(heap, (weight + weigh(connection), waiting[address][-1].since, address))
        else:
            heapq.heappop(heap)

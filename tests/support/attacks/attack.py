"""An attack on a running service, and what must hold for everybody else meanwhile and afterwards."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.attacks.bystanders import Bystanders, bystanders
from tests.support.attacks.processes import MEGABYTE, forget_peak, peak, resident
from tests.support.http.raw_client import RawConnection, Response
from tests.support.processes.service import RunningService, until

PEAK = 450 * MEGABYTE  # of a worker
REMAINS = 1.15  # of what a worker had before, some seconds later
RETURN_SECONDS = 15.0
RESPONSE_SECONDS = 10.0
CLIENT_TIMEOUT = 40.0
REQUESTS = re.compile(r'^http_requests_total\{.*route="([^"]+)",status="(\d+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class Reply:
    """What an attacker got: a response, or why there is none."""

    response: Response | None
    seconds: float  # since its last byte was sent
    error: str = ""


@dataclass
class Attack:
    """An attack under way. What `replies` has must be in the protocol's form, and in time."""

    service: RunningService
    workers: dict[int, int]  # resident bytes before, by process id
    counted: Counter[tuple[str, int]]  # requests before, by route and status
    replies: list[tuple[str, Reply]] = field(default_factory=list)  # with their routes
    others: Bystanders = field(default_factory=Bystanders)
    peaks: dict[int, int] = field(default_factory=dict)

    def send(self, requests: Iterable[tuple[str, bytes]], connections: int = 1) -> list[Reply]:
        """Send requests, each with its route, over connections of their own; returns when each has its reply."""
        with ThreadPoolExecutor(connections) as clients:
            every = list(clients.map(lambda given: (given[0], reply_to(self.service.port, given[1])), requests))
        self.replies += every
        return [reply for _, reply in every]

    def complaints(self) -> list[str]:
        """Everything that does not hold, in sentences."""
        return [*self.others.complaints(), *self._replies(), *self._processes(), *self._counters()]

    def _replies(self) -> Iterator[str]:
        for route, reply in self.replies:
            if reply.response is None:
                yield f"{route}: no response: {reply.error}"
            elif not in_form(route, reply.response):
                yield f"{route}: not in its form: {reply.response.status} {reply.response.body[:200]!r}"
            elif reply.seconds > RESPONSE_SECONDS + self.others.machine:
                yield f"{route}: {reply.response.status} after {reply.seconds:.1f} s"

    def _processes(self) -> Iterator[str]:
        now = self.service.workers()
        if missing := set(self.workers) - set(now):
            yield f"{len(missing)} of {len(self.workers)} workers died"
        for pid in set(self.workers) & set(now):
            if self.peaks[pid] > PEAK:
                yield f"a worker had {self.peaks[pid] / MEGABYTE:.0f} MB"
            try:
                until(lambda: resident(pid) <= self.workers[pid] * REMAINS, "memory returns", RETURN_SECONDS, 0.2)  # noqa: B023
            except TimeoutError:
                yield f"a worker keeps {resident(pid) / MEGABYTE:.0f} MB of {self.workers[pid] / MEGABYTE:.0f} before"

    def _counters(self) -> Iterator[str]:
        """What a flood gets beside this is counted under other statuses, and is not compared."""
        sent = Counter({("/livez", 200): self.others.count("/livez"), ("/predict", 200): self.others.count("digit")})
        sent.update((route, reply.response.status) for route, reply in self.replies if reply.response)
        now = count_requests(self.service)
        counted = {key: now[key] - self.counted[key] for key in sent}
        if counted != dict(sent):
            yield f"counted were {counted}, sent {dict(sent)}"


def count_requests(service: RunningService) -> Counter[tuple[str, int]]:
    """`http_requests_total` by route and status."""
    found: Counter[tuple[str, int]] = Counter()
    for route, status, count in REQUESTS.findall(service.get("/metrics").body.decode()):
        found[route, int(status)] += int(float(count))
    return found


@contextmanager
def attack(service: RunningService) -> Iterator[Attack]:
    """Bystanders for as long as the block lasts, and what is measured of the workers."""
    started = Attack(service, {pid: resident(pid) for pid in service.workers()}, count_requests(service))
    for pid in started.workers:
        forget_peak(pid)
    with bystanders(service.port) as started.others:
        yield started
        time.sleep(0.2)
    started.peaks = {pid: peak(pid) for pid in started.workers}


def reply_to(port: int, content: bytes) -> Reply:
    """Send a request's bytes over a new connection and read the response."""
    sent = time.monotonic()
    try:
        with RawConnection(port) as connection:
            connection.socket.settimeout(CLIENT_TIMEOUT)
            with suppress(ConnectionError):  # it may have been refused before all was sent: the response says so
                connection.send(content)
            sent = time.monotonic()
            return Reply(connection.response(), time.monotonic() - sent)
    except (OSError, ValueError) as error:
        return Reply(None, time.monotonic() - sent, f"{type(error).__name__}: {error}")


def in_form(route: str, response: Response) -> bool:
    """Whether a response has the form of its protocol: JSON, with predictions or outputs, or with an error."""
    try:
        document = response.json()
    except ValueError:
        return False
    if response.status == 200:
        return bool(document.keys() & {"predictions", "outputs", "results"})
    if route.startswith(("/v1", "/v2")):
        return isinstance(document.get("error"), str)
    return isinstance(document.get("code"), str)


def statuses(replies: Sequence[Reply]) -> set[int]:
    """The statuses of replies, 0 where there was no response."""
    return {reply.response.status if reply.response else 0 for reply in replies}

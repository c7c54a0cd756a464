"""What an application gives the server: its WSGI callable, and what the worker's loop runs for it beside requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from wsgiref.types import WSGIApplication


class EventSource(Protocol):
    """Something that works in a thread of its own and asks the loop to act between two requests."""

    def start(self) -> int:
        """Begin, in the worker, before its first request; returns the file descriptor that the loop shall watch."""

    def on_readable(self) -> None:
        """Act, in the loop, because the descriptor is readable."""

    def stop(self) -> None:
        """End, after the worker's last request."""


class IdleTask(Protocol):
    """Work that the loop does one piece at a time when it has nothing else to do."""

    @property
    def idle_timeout(self) -> float:
        """Seconds until `run_idle` is wanted; infinity where there is nothing to do."""

    def run_idle(self) -> None:
        """Do one piece of work, unless it is too early for it."""


@dataclass(frozen=True)
class ServedApp:
    """A WSGI application (PEP 3333) with its event sources and idle tasks, as one worker runs them."""

    wsgi: WSGIApplication
    event_sources: Sequence[EventSource] = ()
    idle_tasks: Sequence[IdleTask] = ()

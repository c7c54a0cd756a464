"""Loading and unloading on demand, for all workers at once."""

import time
from dataclasses import dataclass

from modelrepo.repository import ModelRepository
from service.errors import LoadFailed, ModelNotFound, NotReady
from service.orders import Orders
from service.reports import Reports, VersionReport


@dataclass(frozen=True)
class Order:
    """A numbered order, what it does to which model, and until when (monotonic seconds) the client waits for it."""

    number: int
    verb: str
    name: str
    until: float


class ModelControl:
    """Gives orders to all workers, this one included, and sees what comes of them."""

    def __init__(self, repository: ModelRepository, orders: Orders, reports: Reports, patience: float) -> None:
        """`patience` is how many seconds an order may take before its client is told that it goes on."""
        self._repository = repository
        self._orders = orders
        self._reports = reports
        self._patience = patience

    def load(self, name: str) -> Order:
        """Order a model's newest versions to be loaded, those that were refused included; raises LoadFailed."""
        if not self._repository.versions(name):
            there = f"the repository has {', '.join(self._repository.names()) or 'nothing'}"
            raise LoadFailed(f"failed to load {name!r}, failed to poll from model repository: {there}")
        return self._order(self._orders.load(name), "load", name)

    def unload(self, name: str) -> Order:
        """Order a model to be let go; raises ModelNotFound."""
        if not self._repository.versions(name) and not any(self._states(name)):
            raise ModelNotFound(f"failed to unload {name!r}: there is no such model")
        return self._order(self._orders.unload(name), "unload", name)

    def is_over(self, order: Order) -> bool:
        """Whether every worker has followed an order, or its time is up."""
        return time.monotonic() > order.until or self._is_followed(order)

    def check(self, order: Order) -> None:
        """Raise NotReady where an order is still being followed, LoadFailed where a version was refused."""
        if not self._is_followed(order):
            state = f"{order.name!r} is not yet {order.verb}ed in every worker, and they go on with it"
            raise NotReady(f"{state}: POST /v2/repository/index lists what is served")
        refused = {each.version: each.reason for each in self._states(order.name) if each.failure}
        if refused:
            reasons = "; ".join(f"version {version}: {reason}" for version, reason in sorted(refused.items()))
            raise LoadFailed(f"failed to load {order.name!r}: {reasons}")

    def _order(self, number: int, verb: str, name: str) -> Order:
        return Order(number, verb, name, time.monotonic() + self._patience)

    def _is_followed(self, order: Order) -> bool:
        return all(report.order >= order.number for report in self._reports.read())

    def _states(self, name: str) -> list[VersionReport]:
        """What every worker says of a model's versions."""
        return [each for report in self._reports.read() for each in report.versions if each.name == name]

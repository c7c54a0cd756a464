"""The protocol's model repository extension: what is there, and what shall be loaded or let go."""

from service.control import ModelControl, Order
from service.dialects.openinference.documents import Document, describe_state
from service.dialects.openinference.request import check_load_request, parse_index_request
from service.registry import ModelRegistry


class OpenInferenceRepository:
    """An order is given first and checked when it is over. Every operation raises a RequestError."""

    def __init__(self, registry: ModelRegistry, control: ModelControl) -> None:
        self._registry = registry
        self._control = control

    def index(self, content: bytes) -> list[Document]:
        """Every version that was tried and its state; the body may ask for those that are ready only."""
        only_ready = parse_index_request(content)
        return [describe_state(each) for each in self._registry if each.predictor or not only_ready]

    def load(self, name: str, content: bytes) -> Order:
        """Order a model to be loaded; the body must not bring a configuration or files of its own."""
        check_load_request(content)
        return self._control.load(name)

    def unload(self, name: str, content: bytes) -> Order:
        """Order a model to be let go."""
        check_load_request(content)
        return self._control.unload(name)

    def is_over(self, order: Order) -> bool:
        """Whether `check` can tell what came of an order."""
        return self._control.is_over(order)

    def check(self, order: Order) -> None:
        """Raise what went wrong with an order."""
        self._control.check(order)

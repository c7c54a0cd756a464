from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest

from training.errors import ServiceError
from training.evaluation.service_client import Prediction
from training.evaluation.service_replay import Predictor, compare_labels, replay

IMAGES = [(bytes([value]), "image/png") for value in range(50)]


class Echo:
    """A service whose label is the image's first byte, and which fails on the image `poison`."""

    def __init__(self, poison: int | None = None) -> None:
        self._poison = poison

    def predict(self, content: bytes, content_type: str) -> Prediction:
        assert content_type == "image/png"
        if content[0] == self._poison:
            raise ServiceError("answered 500")
        return Prediction(content[0], {})


@pytest.mark.parametrize("connections", [1, 3, 64])
def test_labels_are_in_the_order_of_the_images(connections: int) -> None:
    assert replay(IMAGES, connect_to(Echo()), connections).tolist() == list(range(50))


def test_one_failed_request_ends_the_replay() -> None:
    with pytest.raises(ServiceError, match="answered 500"):
        replay(IMAGES, connect_to(Echo(poison=30)), connections=4)


def test_different_labels_are_reported_even_where_the_accuracy_is_equal() -> None:
    true, keras, answered = np.array([0, 1, 2]), np.array([0, 1, 0]), np.array([0, 1, 1])

    agreement = compare_labels(answered, true, keras, expected_correct=2)

    assert (agreement.correct, agreement.different, agreement.holds) == (2, (2,), False)


@pytest.mark.parametrize(("recorded", "holds"), [(2, True), (3, False)])
def test_the_recorded_count_must_be_met(recorded: int, holds: bool) -> None:
    labels = np.array([0, 1, 0])

    assert compare_labels(labels, np.array([0, 1, 2]), labels, recorded).holds is holds


def connect_to(predictor: Predictor) -> Callable[[], AbstractContextManager[Predictor]]:
    return lambda: opened(predictor)


@contextmanager
def opened(predictor: Predictor) -> Iterator[Predictor]:
    yield predictor

import numpy as np
import pytest

from preprocessing.png import encode_png
from tests.training.service_double import serve
from training.errors import ServiceError
from training.evaluation.service_client import Client

IMAGE = encode_png(np.zeros((28, 28, 1), np.uint8))


def test_a_prediction_has_the_label_and_the_requested_probabilities() -> None:
    with serve(lambda _: np.array([[0.1, 0.7, 0.2]], np.float32)) as url, Client(url, "digits", 1, top_k=2) as client:
        answer = client.predict(IMAGE, "image/png")

    assert answer.index == 1
    assert answer.probabilities == pytest.approx({1: 0.7, 2: 0.2})


def test_an_error_has_the_services_own_message() -> None:
    with (
        serve(lambda _: np.eye(1, dtype=np.float32)) as url,
        Client(url, "other", 1, top_k=2) as client,
        pytest.raises(ServiceError, match=r"/models/other/versions/1/predict\?top_k=2 answered 404.*no such model"),
    ):
        client.predict(IMAGE, "image/png")


def test_a_service_that_does_not_run_is_reported() -> None:
    with (
        Client("http://127.0.0.1:1", "digits", 1, 1) as client,
        pytest.raises(ServiceError, match="is the service running"),
    ):
        client.predict(IMAGE, "image/png")


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", "http://"])
def test_an_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(ServiceError, match="write it as http://localhost:8000"):
        Client(url, "digits", 1, 1)

"""What TensorFlow Serving's clients get: digits, order and names."""

import json

import numpy as np

from service.inference.prediction import Classification
from service.protocols.tfserving.responses import encode_predictions, encode_results
from tests.support.bundles.tiny import tiny_metadata

TWO = Classification(np.array([[0.1, 0.7, 0.2], [1, 0, 0]], np.float32), ((), ()))


def test_predictions_have_the_fewest_digits_that_are_the_same_float32() -> None:
    assert encode_predictions(True, TWO) == b'{"predictions":[[0.1,0.7,0.2],[1.0,0.0,0.0]]}\n'


def test_the_response_to_a_column_is_outputs() -> None:
    assert encode_predictions(False, TWO) == b'{"outputs":[[0.1,0.7,0.2],[1.0,0.0,0.0]]}\n'


def test_results_are_all_labels_the_most_probable_first() -> None:
    first, second = json.loads(encode_results(tiny_metadata("tiny"), TWO))["results"]

    assert [label for label, _ in first] == ["middle", "right", "left"]
    assert [np.float32(probability) for _, probability in first] == [np.float32(0.7), np.float32(0.2), np.float32(0.1)]
    assert second == [["left", 1.0], ["middle", 0.0], ["right", 0.0]]

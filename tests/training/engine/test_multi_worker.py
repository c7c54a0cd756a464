from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.engine.distributed.multi_worker import averaging_sgd


def test_the_step_is_that_of_the_mean_of_all_gradients() -> None:
    def with_a_process_at_rest(gradients: Sequence[Any]) -> list[Any]:
        return [gradient / 2 for gradient in gradients]

    weight = keras.Variable([1.0, 2.0])

    averaging_sgd(with_a_process_at_rest)(learning_rate=1.0).apply([tf.constant([1.0, 1.0])], [weight])

    assert np.array(weight).tolist() == [0.5, 1.5]

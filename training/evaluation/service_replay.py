"""A whole test split posted to a running service over several persistent connections, and its labels compared."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Event
from typing import Protocol

import numpy as np
from tqdm import tqdm

from training.data.splits import Labels
from training.evaluation.service_client import Prediction
from training.evaluation.test_split import Encoded


class Predictor(Protocol):
    """A connection to a service."""

    def predict(self, content: bytes, content_type: str) -> Prediction:
        """Classify one encoded image."""


class Connect(Protocol):
    """Opens one more connection."""

    def __call__(self) -> AbstractContextManager[Predictor]:
        """A predictor that is closed at the end of a `with`."""


@dataclass(frozen=True)
class Agreement:
    """A service's labels compared with the true ones and with those that the bundle records."""

    examples: int
    correct: int
    expected_correct: int
    different: tuple[int, ...]  # positions in the split of images whose label is not the recorded one

    @property
    def holds(self) -> bool:
        """Whether every label, and so the accuracy, is the recorded one."""
        return not self.different and self.correct == self.expected_correct


def replay(images: Sequence[Encoded], connect: Connect, connections: int) -> Labels:
    """Post every image; returns the predicted classes, int64 [N], in the images' order. Raises ServiceError."""
    stop = Event()
    with (
        ThreadPoolExecutor(connections) as pool,
        tqdm(total=len(images), desc="Posting", unit=" images", disable=None) as bar,
    ):
        shares = [range(first, len(images), connections) for first in range(connections)]
        tasks = [pool.submit(_post_share, images, share, connect, bar.update, stop) for share in shares]
        try:
            wait(tasks, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()  # one failure, or Ctrl-C, also ends the other connections
    results = [task.result() for task in tasks]
    labels = np.empty(len(images), np.int64)
    for share, indices in zip(shares, results, strict=True):
        labels[share.start :: share.step] = indices
    return labels


def compare_labels(predicted: Labels, true: Labels, expected: Labels, expected_correct: int) -> Agreement:
    """Compare the service's labels with the true ones, the recorded ones and the recorded count of right ones."""
    different = np.flatnonzero(predicted != expected)
    return Agreement(len(true), int((predicted == true).sum()), expected_correct, tuple(map(int, different)))


def _post_share(
    images: Sequence[Encoded], share: range, connect: Connect, advance: Callable[[], object], stop: Event
) -> list[int]:
    indices = []
    with connect() as predictor:
        for position in share:
            if stop.is_set():
                break
            indices.append(predictor.predict(*images[position]).index)
            advance()
    return indices

"""A whole test split through a running service, over several connections that stay open."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Event
from typing import Protocol

import numpy as np
from tqdm import tqdm

from training.data.splits import Labels
from training.evaluation.service_client import Answer

Encoded = tuple[bytes, str]  # an image file and its content type


class Predictor(Protocol):
    """What a connection to a service can do."""

    def predict(self, content: bytes, content_type: str) -> Answer:
        """Classify one encoded image."""


class Connect(Protocol):
    """Opens one more connection."""

    def __call__(self) -> AbstractContextManager[Predictor]:
        """A predictor that is closed at the end of a `with`."""


@dataclass(frozen=True)
class Agreement:
    """How a service's labels compare with the true ones and with those that Keras gave."""

    examples: int
    correct: int
    expected_correct: int
    different: tuple[int, ...]  # positions in the split of images whose label is not Keras's

    @property
    def holds(self) -> bool:
        """Whether every label is Keras's and the accuracy is the recorded one."""
        return not self.different and self.correct == self.expected_correct


def replay(images: Sequence[Encoded], connect: Connect, connections: int) -> Labels:
    """Post every image; returns the label index that each got, in the images' order."""
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
            stop.set()  # one failure, or Ctrl-C, ends the other connections, too
    answered = [task.result() for task in tasks]
    labels = np.empty(len(images), np.int64)
    for share, indices in zip(shares, answered, strict=True):
        labels[share.start :: share.step] = indices
    return labels


def agree(answered: Labels, true: Labels, expected: Labels, expected_correct: int) -> Agreement:
    """Compare what the service answered with the truth, with Keras's labels and with the recorded count."""
    different = np.flatnonzero(answered != expected)
    return Agreement(len(true), int((answered == true).sum()), expected_correct, tuple(map(int, different)))


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

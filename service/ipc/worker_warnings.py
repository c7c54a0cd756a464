"""What does not work as it should in a worker that serves all the same, as where the disk has no room for its metrics.

The log has each once, `/readyz` lists them as `warnings`, and the metric `convserve_warnings` has a sample for each.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

logger = logging.getLogger("convserve")


class WorkerWarnings:
    """Warnings of one worker by subject, a word or two; any of its threads may add and remove them."""

    def __init__(self) -> None:
        self._sentences: dict[str, str] = {}
        self._awaited: dict[str, tuple[float, str]] = {}

    def add(self, subject: str, sentence: str) -> None:
        """Warn about a subject; the log has it where the subject has no warning yet."""
        is_new = subject not in self._sentences
        self._sentences[subject] = sentence
        if is_new:
            logger.warning("%s: %s", subject, sentence)

    def remove(self, subject: str) -> None:
        """Say that a subject is in order again, where it was not."""
        if self._sentences.pop(subject, None) is not None:
            logger.warning("%s: in order again", subject)

    @contextmanager
    def if_longer_than(self, seconds: float, subject: str, sentence: str) -> Iterator[None]:
        """The context of something that can hang: there is a warning while it takes longer than so many seconds."""
        started = time.monotonic()
        self._awaited[subject] = (started + seconds, sentence)
        try:
            yield
        finally:
            del self._awaited[subject]
            if time.monotonic() > started + seconds:
                logger.warning("%s: %s; it took %.0f seconds", subject, sentence, time.monotonic() - started)

    @property
    def sentences(self) -> Mapping[str, str]:
        """The warnings at this moment."""
        now = time.monotonic()
        late = {subject: sentence for subject, (at, sentence) in list(self._awaited.items()) if now > at}
        return self._sentences | late

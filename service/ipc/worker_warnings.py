"""What does not work as it should in a worker that serves all the same, as where the disk has no room for its metrics.

The log has each once, `/readyz` lists them as `warnings`, and the metric `convserve_warnings` has a sample for each.
"""

import logging
from collections.abc import Mapping

logger = logging.getLogger("convserve")


class WorkerWarnings:
    """Warnings of one worker by subject, a word or two; any of its threads may add and remove them."""

    def __init__(self) -> None:
        self._sentences: dict[str, str] = {}

    def add(self, subject: str, sentence: str) -> None:
        """Warn about a subject; the log has it where the subject has no warning yet."""
        if subject not in self._sentences:
            logger.warning("%s: %s", subject, sentence)
        self._sentences[subject] = sentence

    def remove(self, subject: str) -> None:
        """Say that a subject is in order again, where it was not."""
        if self._sentences.pop(subject, None) is not None:
            logger.warning("%s: in order again", subject)

    @property
    def sentences(self) -> Mapping[str, str]:
        """The warnings at this moment."""
        return dict(self._sentences)

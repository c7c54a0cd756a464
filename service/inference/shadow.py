"""Shadows: versions that classify copies of requests after others have answered them, and are only compared.

Copies wait in a queue, and the worker's loop compares one at a time when it has nothing else to do. No client sees
anything of it, whatever a shadow does.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from weakref import ref

from preprocessing.errors import CostlyImage
from service.codecs.inputs import Inputs
from service.errors import RequestError
from service.inference.prediction import Classification, RankedClass
from service.inference.registry import ModelRegistry
from service.inference.shadow_queue import DutyCycle, MirroredRequest, ShadowQueue
from service.inference.traffic_split import Choice
from service.telemetry.metrics import ShadowMetrics

LOG_INTERVAL = 60.0  # seconds: a shadow that fails at every copy does not fill the log
NEVER = float("inf")
# No room in the queue, MAX_AGE passed, its shadow is none any more, or it would hold up the loop.
DROP_REASONS = ("full", "old", "retired", "costly")

logger = logging.getLogger("convserve")


class Shadows:
    """All shadows of one worker; an idle task of its loop."""

    def __init__(
        self, registry: ModelRegistry, metrics: ShadowMetrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._instruments = cache(partial(ShadowInstruments, metrics))
        self._queue = ShadowQueue()
        self._duty = DutyCycle()
        self._next_log = 0.0

    def offer(self, choice: Choice, inputs: Inputs, top1: list[RankedClass]) -> None:
        """Queue a copy of an answered request for the shadow of its choice, if there is one and room.

        `top1` is the class that each image was answered with.
        """
        if choice.shadow is None:
            return
        now = self._clock()
        self._drop_expired(now)
        answered, compared = choice.predictor.metadata, choice.shadow.metadata
        if not self._queue.has_room(inputs.nbytes):
            self._instruments(answered.name, answered.version, compared.version).drop("full")
            return
        shadow = ref(choice.shadow)
        self._queue.put(
            MirroredRequest(answered.name, answered.version, top1, inputs.owned(), shadow, compared.version, now)
        )

    @property
    def idle_timeout(self) -> float:
        """Seconds until `run_idle` has something to do; infinity where no copy waits."""
        if not self._queue:
            return NEVER
        return max(0.0, min(self._duty.rest_until, self._queue.expiry) - self._clock())

    def run_idle(self) -> None:
        """Drop copies that are too old, and compare one unless the duty cycle asks for a rest."""
        now = self._clock()
        self._drop_expired(now)
        if self._queue and now >= self._duty.rest_until:
            self._compare(self._queue.take())
            self._duty.account(now, self._clock())

    def _drop_expired(self, now: float) -> None:
        for copy in self._queue.take_expired(now):
            self._instruments_of(copy).drop("old")

    def _compare(self, copy: MirroredRequest) -> None:
        instruments = self._instruments_of(copy)
        split = self._registry.splits.get(copy.model)
        shadow = copy.shadow()
        if shadow is None or split is None or split.shadow is None or split.shadow.predictor is not shadow:
            instruments.drop("retired")
            return
        began = self._clock()
        try:
            classification = shadow.classify(copy.inputs, timeline=[], only_cheap=True)
            comparisons = list(compare(copy.top1, classification, shadow.metadata.labels))
        except CostlyImage:
            instruments.drop("costly")
            return
        except Exception as error:  # no failure of a shadow may stop the loop
            self._fail(copy, error)
            return
        instruments.observe(comparisons, self._clock() - began)

    def _fail(self, copy: MirroredRequest, error: Exception) -> None:
        """Count a failure, and log it unless one was logged within LOG_INTERVAL."""
        code = error.code if isinstance(error, RequestError) else "internal_error"
        self._instruments_of(copy).fail(code)
        if self._clock() >= self._next_log:
            self._next_log = self._clock() + LOG_INTERVAL
            unexpected = None if isinstance(error, RequestError) else error
            sentence = "%s version %s, a shadow, cannot classify what version %s did: %s"
            logger.warning(sentence, copy.model, copy.shadow_version, copy.version, code, exc_info=unexpected)

    def _instruments_of(self, copy: MirroredRequest) -> "ShadowInstruments":
        return self._instruments(copy.model, copy.version, copy.shadow_version)


class ShadowInstruments:
    """The metrics of one pair of versions; each label is looked up once."""

    def __init__(self, metrics: ShadowMetrics, model: str, version: int, shadow_version: int) -> None:
        pair, shadow = (model, str(version), str(shadow_version)), (model, str(shadow_version))
        self._result = cache(partial(metrics.comparisons.labels, *pair))
        self._difference = metrics.difference.labels(*pair)
        self._seconds = metrics.seconds.labels(*shadow)
        self._dropped = {reason: metrics.dropped.labels(*shadow, reason) for reason in DROP_REASONS}  # from 0 on
        self._failure = cache(partial(metrics.failures.labels, *shadow))

    def observe(self, comparisons: "Iterable[Comparison]", seconds: float) -> None:
        """Count the images of one copy, which the shadow classified in `seconds`."""
        for each in comparisons:
            self._result("agree" if each.agrees else "flip").inc()
            self._difference.observe(each.difference)
        self._seconds.observe(seconds)

    def drop(self, reason: str) -> None:
        """Count a copy that was not classified, for one of DROP_REASONS."""
        self._dropped[reason].inc()

    def fail(self, code: str) -> None:
        """Count a copy that the shadow failed to classify, by the error's code."""
        self._failure(code).inc()


@dataclass(frozen=True)
class Comparison:
    """One image: whether both versions give the same label, and how far the answered label's probabilities differ."""

    agrees: bool
    difference: float


def compare(
    answered: Sequence[RankedClass], classification: Classification, labels: Sequence[str]
) -> Iterator[Comparison]:
    """Compare the class that each image was answered with to a shadow's classification, whose labels these are.

    Classes are matched by label, for versions may order them differently. A label that the shadow does not have counts
    as probability 0, and NaN as a difference of 1.
    """
    for row, (given, own) in enumerate(zip(answered, classification.top1(labels), strict=True)):
        index = labels.index(given.label) if given.label in labels else None
        probability = 0.0 if index is None else classification.probabilities.item(row, index)
        yield Comparison(given.label == own.label, min(1.0, abs(given.probability - probability)))

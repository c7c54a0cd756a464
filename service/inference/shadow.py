"""What one version says beside another one's answer.

What the metrics learn from one shadow beside one version that answers.

Shadows: versions that get copies of requests after others have answered them, and are only compared.

The loop that answers asks for one comparison at a time, when nothing else is to be done. Nothing here is seen by a
client, whatever a shadow does.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from weakref import ref

from service.codecs.inputs import Inputs
from service.errors import RequestError
from service.inference.prediction import Classification, RankedClass
from service.inference.registry import ModelRegistry
from service.inference.shadow_queue import DutyCycle, MirroredRequest, ShadowQueue
from service.inference.traffic_split import Choice
from service.telemetry.metrics import ShadowMetrics
from service.telemetry.stage_timer import StageTimer


@dataclass(frozen=True)
class Comparison:
    """One image: whether both found the same label, and how far the answered label's probabilities are apart."""

    agrees: bool
    difference: float


def compare(
    answered: Sequence[RankedClass], classification: Classification, labels: Sequence[str]
) -> Iterator[Comparison]:
    """Compare the class that each image was answered with; `labels` are of the version that is compared.

    Labels count, not their places: versions may order them differently. A label that is unknown has probability 0, and
    what is no number is as far off as can be.
    """
    for row, (given, found) in enumerate(zip(answered, classification.top1(labels), strict=True)):
        place = labels.index(given.label) if given.label in labels else None
        probability = 0.0 if place is None else classification.probabilities.item(row, place)
        yield Comparison(given.label == found.label, min(1.0, abs(given.probability - probability)))


DROPPED = ("full", "old", "retired")  # there was no room, it waited for too long, or its shadow is one no more


class ShadowInstruments:
    """The metrics of one pair of versions, each label looked up once."""

    def __init__(self, metrics: ShadowMetrics, model: str, version: int, shadow_version: int) -> None:
        pair, shadow = (model, str(version), str(shadow_version)), (model, str(shadow_version))
        self._result = cache(partial(metrics.comparisons.labels, *pair))
        self._difference = metrics.difference.labels(*pair)
        self._seconds = metrics.seconds.labels(*shadow)
        self._dropped = {reason: metrics.dropped.labels(*shadow, reason) for reason in DROPPED}  # from 0 on
        self._failure = cache(partial(metrics.failures.labels, *shadow))

    def observe(self, comparisons: Iterable[Comparison], seconds: float) -> None:
        """Count the images of one copy, which the shadow took `seconds` for."""
        for each in comparisons:
            self._result("agree" if each.agrees else "flip").inc()
            self._difference.observe(each.difference)
        self._seconds.observe(seconds)

    def drop(self, reason: str) -> None:
        """Count a copy that was not classified, for one of the reasons DROPPED."""
        self._dropped[reason].inc()

    def fail(self, code: str) -> None:
        """Count a copy that the shadow could not classify."""
        self._failure(code).inc()


LOG_EVERY = 60.0  # seconds: a shadow that fails at everything does not fill the log
NEVER = float("inf")

logger = logging.getLogger("convserve")


class Shadows:
    """All shadows of one worker."""

    def __init__(
        self, registry: ModelRegistry, metrics: ShadowMetrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._meter = cache(lambda *versions: ShadowInstruments(metrics, *versions))
        self._queue = ShadowQueue()
        self._duty = DutyCycle()
        self._next_log = 0.0

    def offer(self, choice: Choice, inputs: Inputs, top1: list[RankedClass]) -> None:
        """Keep a copy of an answered request for the shadow of its choice, if there is one and room."""
        if choice.shadow is None:
            return
        now = self._clock()
        self._expire(now)
        answered, compared = choice.predictor.metadata, choice.shadow.metadata
        if not self._queue.has_room(inputs.nbytes):
            self._meter(answered.name, answered.version, compared.version).drop("full")
            return
        shadow = ref(choice.shadow)
        self._queue.put(
            MirroredRequest(answered.name, answered.version, top1, inputs.owned(), shadow, compared.version, now)
        )

    @property
    def idle_timeout(self) -> float:
        """Seconds until the shadows want `run_idle` to be called, should nothing else be to do."""
        if not self._queue:
            return NEVER
        return max(0.0, min(self._duty.rest_until, self._queue.expiry) - self._clock())

    def run_idle(self) -> None:
        """Have one copy compared, unless the shadows have to rest; what is too old is dropped."""
        now = self._clock()
        self._expire(now)
        if self._queue and now >= self._duty.rest_until:
            self._compare(self._queue.take())
            self._duty.account(now, self._clock())

    def _expire(self, now: float) -> None:
        for copy in self._queue.take_expired(now):
            self._meter_of(copy).drop("old")

    def _compare(self, copy: MirroredRequest) -> None:
        meter = self._meter_of(copy)
        split = self._registry.splits.get(copy.model)
        shadow = copy.shadow()
        if shadow is None or split is None or split.shadow is None or split.shadow.predictor is not shadow:
            meter.drop("retired")
            return
        began = self._clock()
        try:
            classification = shadow.classify(copy.inputs, StageTimer(0.0))
            comparisons = list(compare(copy.top1, classification, shadow.metadata.labels))
        except Exception as error:  # whatever is wrong with a shadow, others must not suffer from it
            self._fail(copy, error)
            return
        meter.observe(comparisons, self._clock() - began)

    def _fail(self, copy: MirroredRequest, error: Exception) -> None:
        """Count a failure, and log it unless one has been logged just now."""
        code = error.code if isinstance(error, RequestError) else "internal_error"
        self._meter_of(copy).fail(code)
        if self._clock() >= self._next_log:
            self._next_log = self._clock() + LOG_EVERY
            unexpected = None if isinstance(error, RequestError) else error
            sentence = "%s version %s, a shadow, cannot classify what version %s did: %s"
            logger.warning(sentence, copy.model, copy.shadow_version, copy.version, code, exc_info=unexpected)

    def _meter_of(self, copy: MirroredRequest) -> ShadowInstruments:
        return self._meter(copy.model, copy.version, copy.shadow_version)

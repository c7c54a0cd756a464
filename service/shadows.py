"""Shadows: versions that get copies of requests after others have answered them, and are only compared.

The loop that answers asks for one comparison at a time, when nothing else is to be done. Nothing here is seen by a
client, whatever a shadow does.
"""

import logging
import time
from collections.abc import Callable
from functools import cache
from weakref import ref

from service.comparison import compare
from service.copies import Copy, CopyQueue
from service.duty import Duty
from service.errors import RequestError
from service.inputs import Inputs
from service.prediction import RankedClass
from service.registry import ModelRegistry
from service.shadowmeters import ShadowMeter
from service.shadowmetrics import ShadowMetrics
from service.stages import Stages
from service.trafficsplit import Choice

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
        self._meter = cache(lambda *versions: ShadowMeter(metrics, *versions))
        self._queue = CopyQueue()
        self._duty = Duty()
        self._next_log = 0.0

    def offer(self, choice: Choice, inputs: Inputs, winners: list[RankedClass]) -> None:
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
        self._queue.put(Copy(answered.name, answered.version, winners, inputs.owned(), shadow, compared.version, now))

    @property
    def patience(self) -> float:
        """Seconds until the shadows want `compare_next` to be called, should nothing else be to do."""
        if not self._queue:
            return NEVER
        return max(0.0, min(self._duty.rest_until, self._queue.expiry) - self._clock())

    def compare_next(self) -> None:
        """Have one copy compared, unless the shadows have to rest; what is too old is dropped."""
        now = self._clock()
        self._expire(now)
        if self._queue and now >= self._duty.rest_until:
            self._compare(self._queue.take())
            self._duty.account(now, self._clock())

    def _expire(self, now: float) -> None:
        for copy in self._queue.take_expired(now):
            self._meter_of(copy).drop("old")

    def _compare(self, copy: Copy) -> None:
        meter = self._meter_of(copy)
        split = self._registry.splits.get(copy.model)
        shadow = copy.shadow()
        if shadow is None or split is None or split.shadow is None or split.shadow.predictor is not shadow:
            meter.drop("retired")
            return
        began = self._clock()
        try:
            classification = shadow.classify(copy.inputs, Stages(0.0))
            comparisons = list(compare(copy.winners, classification, shadow.metadata.labels))
        except Exception as error:  # whatever is wrong with a shadow, others must not suffer from it
            self._fail(copy, error)
            return
        meter.observe(comparisons, self._clock() - began)

    def _fail(self, copy: Copy, error: Exception) -> None:
        """Count a failure, and log it unless one has been logged just now."""
        code = error.code if isinstance(error, RequestError) else "internal_error"
        self._meter_of(copy).fail(code)
        if self._clock() >= self._next_log:
            self._next_log = self._clock() + LOG_EVERY
            unexpected = None if isinstance(error, RequestError) else error
            sentence = "%s version %s, a shadow, cannot classify what version %s did: %s"
            logger.warning(sentence, copy.model, copy.shadow_version, copy.version, code, exc_info=unexpected)

    def _meter_of(self, copy: Copy) -> ShadowMeter:
        return self._meter(copy.model, copy.version, copy.shadow_version)

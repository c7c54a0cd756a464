"""Copies are compared when it is their turn, and whatever goes wrong with one is counted and nothing else."""

import gc
import logging
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pytest

from modelrepo.policy import ModelPolicy, ServingPolicy, Share
from service.codecs.inputs import EncodedImage, EncodedImages, Inputs, PixelArray
from service.errors import InvalidImage
from service.inference import shadow as shadows
from service.inference import shadow_queue
from service.inference.model_version import LoadedVersion
from service.inference.prediction import RankedClass
from service.inference.predictor import Predictor
from service.inference.registry import ModelRegistry
from service.inference.runtime import Model, ModelOutputs
from service.inference.shadow import Shadows
from service.inference.traffic_split import Choice
from service.telemetry.metrics import Metrics
from tests.support.bundles.fake_predictors import LIMITS, always_left, predictor
from tests.support.bundles.tiny import tiny_metadata
from tests.support.bundles.tiny_batches import batch
from tests.support.images.drawn import Pixels

LEFT = RankedClass("left", 0, 0.75)
MIDDLE = RankedClass("middle", 1, 1.0)
ONE = PixelArray(batch(1))
POLICY = ServingPolicy(2, {"mnist": ModelPolicy(2, shadow=Share(1.0))})


class Clock:
    """Time that passes when a test, or a fake network, says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry() -> ModelRegistry:
    return ModelRegistry([], "mnist")


@pytest.fixture
def tried(registry: ModelRegistry, metrics: Metrics, clock: Clock) -> Shadows:
    return Shadows(registry, metrics.shadows, clock)


Serve = Callable[..., Choice]


@pytest.fixture
def serve(registry: ModelRegistry) -> Serve:
    """Serve version 1 with version 2 as its shadow; returns the choice for a request."""

    def serve(model: Model = always_left) -> Choice:
        versions = [predictor(version=1), Predictor(tiny_metadata("mnist", 2), "", model, LIMITS)]
        loaded = [LoadedVersion("mnist", number, each) for number, each in enumerate(versions, start=1)]
        registry.replace(loaded, POLICY)
        return registry.choose("mnist", None, 0.0)

    return serve


def counted(metrics: Metrics, name: str, **labels: str) -> float | None:
    """A sample of a scrape; None where there is none."""
    return metrics.scrape.get_sample_value(f"convserve_shadow_{name}", {"model": "mnist", **labels})


def compared(metrics: Metrics, result: str) -> float | None:
    return counted(metrics, "comparisons_total", version="1", shadow_version="2", result=result)


def dropped(metrics: Metrics, reason: str) -> float | None:
    return counted(metrics, "dropped_total", version="2", reason=reason)


def failed(metrics: Metrics, reason: str) -> float | None:
    return counted(metrics, "failures_total", version="2", reason=reason)


# What is compared


def test_a_copy_is_compared_when_its_turn_comes_and_not_before(tried: Shadows, serve: Serve, metrics: Metrics) -> None:
    tried.offer(serve(), ONE, [LEFT])
    before = compared(metrics, "agree")
    tried.run_idle()

    assert before is None
    assert compared(metrics, "agree") == 1
    assert counted(metrics, "difference_sum", version="1", shadow_version="2") == 0.25
    assert counted(metrics, "seconds_count", version="2") == 1


def test_labels_that_flip_are_counted_by_the_image(tried: Shadows, serve: Serve, metrics: Metrics) -> None:
    tried.offer(serve(), PixelArray(batch(3)), [LEFT, MIDDLE, MIDDLE])
    tried.run_idle()

    assert (compared(metrics, "agree"), compared(metrics, "flip")) == (1, 2)
    assert counted(metrics, "difference_count", version="1", shadow_version="2") == 3


def test_a_request_without_a_shadow_leaves_nothing(tried: Shadows) -> None:
    tried.offer(Choice(predictor()), ONE, [LEFT])

    assert tried.idle_timeout == shadows.NEVER


def test_what_a_shadow_classifies_is_not_counted_as_predictions(tried: Shadows, serve: Serve, metrics: Metrics) -> None:
    tried.offer(serve(), ONE, [LEFT])
    tried.run_idle()

    assert metrics.statistics.read("mnist", 2).total.count == 0
    labels = {"model": "mnist", "version": "2"}
    assert metrics.scrape.get_sample_value("convserve_predictions_total", {**labels, "label": "left"}) is None
    assert metrics.scrape.get_sample_value("convserve_batch_size_count", labels) is None


# When


def test_after_a_comparison_the_shadows_rest(tried: Shadows, serve: Serve, metrics: Metrics, clock: Clock) -> None:
    def slow(images: Pixels) -> ModelOutputs:
        clock.now += 0.002
        return always_left(images)

    choice = serve(slow)
    for _ in range(2):
        tried.offer(choice, ONE, [LEFT])
    begun = clock.now
    tried.run_idle()
    tried.run_idle()

    assert compared(metrics, "agree") == 1
    assert tried.idle_timeout == pytest.approx(0.002 / shadow_queue.MAX_SHARE - 0.002)
    clock.now = begun + 0.002 / shadow_queue.MAX_SHARE
    assert tried.idle_timeout == 0
    tried.run_idle()
    assert compared(metrics, "agree") == 2


def test_what_waits_for_too_long_is_dropped_whether_or_not_more_comes(
    tried: Shadows, serve: Serve, metrics: Metrics, clock: Clock
) -> None:
    choice = serve()
    tried.offer(choice, ONE, [LEFT])
    clock.now += shadow_queue.MAX_AGE
    tried.offer(choice, ONE, [LEFT])
    once = dropped(metrics, "old")
    clock.now += shadow_queue.MAX_AGE
    tried.run_idle()

    assert (once, dropped(metrics, "old"), compared(metrics, "agree")) == (1, 2, None)
    assert tried.idle_timeout == shadows.NEVER


def test_what_finds_no_room_is_dropped(tried: Shadows, serve: Serve, metrics: Metrics) -> None:
    choice = serve()
    tried.offer(choice, PixelArray(np.zeros(shadow_queue.MAX_BYTES + 1, np.uint8)), [LEFT])
    large = dropped(metrics, "full")
    for _ in range(shadow_queue.MAX_REQUESTS + 2):
        tried.offer(choice, ONE, [LEFT])

    assert (large, dropped(metrics, "full")) == (1, 3)


# Retirement


def test_copies_for_what_is_no_longer_the_shadow_are_dropped(
    tried: Shadows, serve: Serve, registry: ModelRegistry, metrics: Metrics
) -> None:
    choice = serve()
    tried.offer(choice, ONE, [LEFT])
    registry.replace(list(registry), ServingPolicy(2))
    tried.run_idle()

    assert (dropped(metrics, "retired"), compared(metrics, "agree")) == (1, None)


def test_copies_for_a_model_that_is_gone_are_dropped(
    tried: Shadows, serve: Serve, registry: ModelRegistry, metrics: Metrics
) -> None:
    choice = serve()
    tried.offer(choice, ONE, [LEFT])
    registry.replace([], POLICY)
    tried.run_idle()

    assert dropped(metrics, "retired") == 1


def test_a_copy_keeps_no_shadow_from_being_released(
    tried: Shadows, serve: Serve, registry: ModelRegistry, metrics: Metrics
) -> None:
    choice = serve()
    assert choice.shadow
    released = weakref.ref(choice.shadow)
    tried.offer(choice, ONE, [LEFT])
    del choice
    registry.replace([], POLICY)
    gc.collect()

    assert released() is None
    tried.run_idle()
    assert dropped(metrics, "retired") == 1


# Failure


def break_down(_: Pixels) -> NoReturn:
    raise RuntimeError("the graph is broken")


def no_scores(_: Pixels) -> ModelOutputs:
    return ModelOutputs(np.zeros((1, 0), np.float32))


@dataclass(frozen=True)
class Failure:
    """What a shadow cannot do, and the code that it is counted under."""

    model: Model
    inputs: Inputs
    code: str


LARGE = PixelArray(np.zeros((1, 9, 9, 1), np.uint8))
NO_IMAGE = EncodedImages((EncodedImage(b"no image", "the image"),))


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Failure(break_down, ONE, "internal_error"), id="the graph"),
        pytest.param(Failure(no_scores, ONE, "internal_error"), id="the scores"),
        pytest.param(Failure(always_left, NO_IMAGE, InvalidImage.code), id="the image"),
        pytest.param(Failure(always_left, LARGE, "invalid_array"), id="the size"),
    ],
)
def test_a_failure_is_counted_and_stops_nothing(
    tried: Shadows, serve: Serve, metrics: Metrics, failure: Failure
) -> None:
    tried.offer(serve(failure.model), failure.inputs, [LEFT])
    tried.run_idle()

    assert failed(metrics, failure.code) == 1
    assert counted(metrics, "seconds_count", version="2") == 0


def test_failures_are_logged_once_in_a_while(
    tried: Shadows, serve: Serve, metrics: Metrics, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    choice = serve(break_down)
    with caplog.at_level(logging.WARNING, "convserve"):
        for seconds in (0, 1, shadows.LOG_INTERVAL):
            clock.now += seconds
            tried.offer(choice, ONE, [LEFT])
            tried.run_idle()

    assert failed(metrics, "internal_error") == 3
    assert len(caplog.records) == 2
    assert caplog.messages[0] == "mnist version 2, a shadow, cannot classify what version 1 did: internal_error"
    assert "the graph is broken" in caplog.text

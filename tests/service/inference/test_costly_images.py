"""Requests whose images a process prepares: suspended where the server can resume them, else they wait."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from service.codecs.inputs import EncodedImage, EncodedImages
from service.codecs.limits import Limits
from service.environ import Suspended
from service.errors import InvalidImage, TooLarge
from service.inference.costly_images import CostlyImages
from service.inference.predictor import Predictor, PreparedBatch
from service.inference.runtime import ModelOutputs
from service.isolation.image_pool import ImagePool, PoolLimits
from service.telemetry.metrics import Metrics
from service.telemetry.request_state import RequestState
from service.telemetry.stage_timer import Stage, Timeline
from tests.support.bundles.tiny import tiny_metadata
from tests.support.images.unusual_files import file_of, gradient, truncated

LIMITS = Limits(max_pixels=10_000, max_request_pixels=12_000, max_images=8)
TIFF = file_of(gradient(50, 40), "TIFF")


@pytest.fixture
def pool(metrics: Metrics) -> Iterator[ImagePool]:
    pool = ImagePool(PoolLimits(1, 256 << 20, 5, 30), metrics.image_jobs)
    yield pool
    pool.stop()


def predictor(**options: Any) -> Predictor:
    return Predictor(
        tiny_metadata("tiny", 1, **options), "", lambda _: ModelOutputs(np.ones((1, 3), np.float32)), LIMITS
    )


def images(*contents: bytes) -> EncodedImages:
    return EncodedImages(tuple(EncodedImage(content, f"image {n}") for n, content in enumerate(contents, start=1)))


def state(*, can_suspend: bool) -> RequestState:
    return RequestState("id", 0.0, can_suspend=can_suspend)


def suspended(call: Callable[[], object]) -> Suspended:
    with pytest.raises(Suspended) as caught:
        call()
    return caught.value


def test_a_request_is_suspended_and_has_its_pixels_when_it_is_called_again(pool: ImagePool) -> None:
    costly, chosen, request, timeline = CostlyImages(pool), predictor(), state(can_suspend=True), [(Stage.QUEUE, 0.0)]

    def call() -> PreparedBatch:
        return costly.prepare(chosen, images(TIFF), request, timeline)

    deferred = suspended(call).deferred
    assert deferred.is_announced
    pool.complete(request.job)
    assert deferred.is_over()

    batch = call()

    direct = chosen.prepare(images(TIFF), timeline=[])
    assert np.array_equal(batch.pixels, direct.pixels)
    assert batch.steps == direct.steps
    assert [stage for stage, _ in timeline] == [Stage.QUEUE, Stage.DECODE, Stage.PREPROCESS]
    assert request.job_seconds > 0


def test_another_version_with_the_same_contract_takes_the_same_pixels_and_one_with_another_asks_anew(
    pool: ImagePool,
) -> None:
    costly, request = CostlyImages(pool), state(can_suspend=True)
    suspended(lambda: costly.prepare(predictor(), images(TIFF), request, []))
    pool.complete(request.job)

    assert costly.prepare(predictor(), images(TIFF), request, []).pixels.shape[-1] == 1
    suspended(lambda: costly.prepare(predictor(mode="rgb"), images(TIFF), request, []))
    pool.complete(request.job)
    assert costly.prepare(predictor(mode="rgb"), images(TIFF), request, []).pixels.shape[-1] == 3


def test_where_the_server_cannot_resume_it_the_request_waits(pool: ImagePool) -> None:
    batch = CostlyImages(pool).prepare(predictor(), images(TIFF), state(can_suspend=False), [])

    assert len(batch.pixels) == 1


@pytest.mark.parametrize(
    ("contents", "error", "sentence"),
    [
        ((TIFF, truncated(TIFF)), InvalidImage, "image 2: the image "),
        ((truncated(TIFF),), InvalidImage, "the image "),
        (
            (file_of(gradient(200, 100), "TIFF"),),
            TooLarge,
            "the image has 100 × 200 = 20000 pixels, the limit is 10000",
        ),
        (
            (file_of(gradient(100, 90), "TIFF"), file_of(gradient(100, 90), "TIFF")),
            TooLarge,
            "with image 2 the request has more than 12000 pixels: send fewer images at a time",
        ),
    ],
)
def test_errors_are_those_of_the_loop(
    pool: ImagePool, contents: tuple[bytes, ...], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error) as direct:
        predictor().prepare(images(*contents), timeline=[])
    with pytest.raises(error) as caught:
        CostlyImages(pool).prepare(predictor(), images(*contents), state(can_suspend=False), [])

    assert str(caught.value) == str(direct.value)
    assert str(caught.value).startswith(sentence)


def test_the_times_of_the_stages_never_run_backwards(pool: ImagePool) -> None:
    timeline: Timeline = []
    CostlyImages(pool).prepare(predictor(), images(TIFF), state(can_suspend=False), timeline)

    times = [time for _, time in timeline]
    assert times == sorted(times)

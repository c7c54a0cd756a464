"""Running a request: its steps in their order, and what its state, the metrics, the statistics and the shadows get."""

import gc
import re
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from typing import NoReturn

import numpy as np
import pytest

from service.codecs.inputs import PixelArray
from service.codecs.limits import Limits
from service.errors import InvalidRequest, RequestError
from service.inference.costly_images import CostlyImages
from service.inference.data_plane import DataPlane, DecodedRequest
from service.inference.prediction import Classification
from service.inference.predictor import Predictor
from service.inference.registry import ModelRegistry
from service.inference.runtime import Model, ModelOutputs
from service.inference.shadow import NEVER, Shadows
from service.inference.traffic_split import Choice
from service.isolation.image_pool import ImagePool, PoolLimits
from service.telemetry.metrics import Metrics
from service.telemetry.request_state import RequestState
from tests.support.bundles.tiny import tiny_metadata
from tests.support.bundles.tiny_batches import batch
from tests.support.images.drawn import Pixels

LIMITS = Limits(max_pixels=100, max_request_pixels=1000, max_images=8)
Encode = Callable[[Classification], str]


def middle(images: Pixels) -> ModelOutputs:
    """A network that takes every picture for one of the middle."""
    return ModelOutputs(np.tile(np.array([0.25, 0.5, 0.25], np.float32), (len(images), 1)))


def predictor(version: int = 1, model: Model = middle) -> Predictor:
    return Predictor(tiny_metadata("tiny", version), "", model, LIMITS)


def asking(images: int = 2, encode: Encode = lambda _: "response") -> Callable[[], DecodedRequest[str]]:
    """What decodes a request for the classification of some images."""
    return lambda: DecodedRequest(PixelArray(batch(images)), encode)


def infer(plane: DataPlane, choice: Choice, decode: Callable[[], DecodedRequest[str]], state: RequestState) -> str:
    """Run a request as protocols do: choose, decode, infer."""
    context = plane.begin(choice, state)
    return plane.infer(context, decode())


def fail(*_: object) -> NoReturn:
    raise InvalidRequest("what nonsense")


@pytest.fixture
def state() -> RequestState:
    return RequestState("id", queue_seconds=0.5)


@pytest.fixture
def inference(metrics: Metrics, shadows: Shadows) -> DataPlane:
    return DataPlane(metrics, shadows, CostlyImages(ImagePool(PoolLimits(1, 512 << 20, 5, 30), metrics.image_jobs)))


@pytest.fixture
def shadows(metrics: Metrics) -> Shadows:
    return Shadows(ModelRegistry([], "tiny"), metrics.shadows)


def counted(metrics: Metrics, name: str, **labels: str) -> float | None:
    """A sample of a scrape; None where there is none."""
    return metrics.scrape.get_sample_value(name, {"model": "tiny", "version": "1", **labels})


# What is done


def test_a_request_is_understood_classified_and_written_once_each(inference: DataPlane, state: RequestState) -> None:
    done = []

    def decode() -> DecodedRequest[str]:
        done.append("decoded")
        return DecodedRequest(PixelArray(batch(2)), encode)

    def classify(images: Pixels) -> ModelOutputs:
        done.append("classified")
        return middle(images)

    def encode(classification: Classification) -> str:
        done.append("encoded")
        return f"{len(classification.probabilities)} images"

    response = infer(inference, Choice(predictor(model=classify)), decode, state)

    assert done == ["decoded", "classified", "encoded"]
    assert response == "2 images"


# What the state of the request gets


def test_the_state_gets_the_time_of_each_stage(inference: DataPlane, state: RequestState) -> None:
    infer(inference, Choice(predictor()), asking(), state)

    stages = dict(re.findall(r"(\w+);dur=([\d.]+)", state.server_timing))
    assert list(stages) == ["queue", "decode", "preprocess", "infer", "encode"]
    assert stages["queue"] == "500.000"


def test_the_state_gets_the_fields_of_the_log(inference: DataPlane, state: RequestState) -> None:
    infer(inference, Choice(predictor(version=3)), asking(images=4), state)

    assert state.log_fields == {"model": "tiny", "version": 3, "images": 4, "label": "middle"}


def test_a_failure_is_counted_through_the_state(inference: DataPlane, metrics: Metrics, state: RequestState) -> None:
    infer(inference, Choice(predictor()), asking(), state)
    assert state.on_failure
    state.on_failure(0.5, "invalid_request")

    failed = metrics.statistics.read("tiny", 1).failed
    assert (failed.count, failed.nanoseconds) == (1, 500_000_000)
    assert counted(metrics, "convserve_prediction_failures_total", reason="invalid_request") == 1


# What metrics and statistics get


def test_a_success_is_counted(inference: DataPlane, metrics: Metrics, state: RequestState) -> None:
    infer(inference, Choice(predictor()), asking(images=3), state)

    found = metrics.statistics.read("tiny", 1)
    assert (found.total.count, found.images, found.failed.count) == (1, 3, 0)
    assert counted(metrics, "convserve_predictions_total", label="middle") == 3
    assert counted(metrics, "convserve_batch_size_sum") == 3
    assert counted(metrics, "convserve_stage_seconds_sum", stage="queue") == 0.5


@pytest.mark.parametrize(
    ("decode", "model"),
    [
        pytest.param(fail, fail, id="not understood"),
        pytest.param(asking(images=9), fail, id="too many images"),
        pytest.param(asking(), fail, id="not classified"),
        pytest.param(asking(encode=fail), middle, id="not encoded"),
    ],
)
def test_a_failure_is_passed_on_and_no_success(
    inference: DataPlane,
    metrics: Metrics,
    state: RequestState,
    decode: Callable[[], DecodedRequest[str]],
    model: Model,
) -> None:
    with pytest.raises(RequestError):
        infer(inference, Choice(predictor(model=model)), decode, state)

    assert metrics.statistics.read("tiny", 1).total.count == 0
    assert counted(metrics, "convserve_predictions_total", label="middle") is None
    assert counted(metrics, "convserve_batch_size_count") == 0
    assert counted(metrics, "convserve_stage_seconds_count", stage="queue") is None
    assert (state.server_timing, state.log_fields) == ("", {})
    assert state.on_failure is not None


# What the shadows get


@pytest.mark.parametrize(
    ("decode", "copied"), [(asking(), True), (asking(encode=fail), False)], ids=["a success", "a failure"]
)
def test_the_shadow_gets_a_copy_of_what_succeeds(
    inference: DataPlane,
    shadows: Shadows,
    state: RequestState,
    decode: Callable[[], DecodedRequest[str]],
    copied: bool,
) -> None:
    with nullcontext() if copied else pytest.raises(InvalidRequest):
        infer(inference, Choice(predictor(1), predictor(2)), decode, state)

    assert (shadows.idle_timeout < NEVER) is copied


# The instruments


def instruments(inference: DataPlane, asked: Predictor) -> Callable[[float, str], None]:
    """A method of the instruments of a predictor; equal methods belong to the same instruments."""
    state = RequestState("id", queue_seconds=0)
    infer(inference, Choice(asked), asking(), state)
    assert state.on_failure
    return state.on_failure


def test_requests_to_one_predictor_share_their_instruments(inference: DataPlane, metrics: Metrics) -> None:
    one, other = predictor(1), predictor(2)

    assert instruments(inference, one) == instruments(inference, one) != instruments(inference, other)
    assert metrics.statistics.read("tiny", 1).total.count == 2


def test_a_predictor_that_is_gone_leaves_no_instruments_behind(inference: DataPlane) -> None:
    kept, dropped = predictor(1), predictor(2)
    methods = [weakref.WeakMethod(instruments(inference, each)) for each in (kept, dropped)]
    del dropped
    gc.collect()

    assert [each() is None for each in methods] == [False, True]

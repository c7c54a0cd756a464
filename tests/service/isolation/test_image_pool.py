"""The pool of processes that decode images, with real processes: results, errors, limits, replacement."""

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from preprocessing.errors import DamagedImage, ImageError, ImageTooCostly, ImageTooLarge, TruncatedImage, UnknownFormat
from preprocessing.pipeline import prepare_file
from service.errors import DeadlineExceeded, Overloaded
from service.isolation import image_pool
from service.isolation.image_job import ImageFailure, ImageJob, ImageTask, PreparedImages
from service.isolation.image_pool import ImagePool, PoolLimits
from service.telemetry.metrics import Metrics
from tests.support.attacks.files.dear_files import dear_file
from tests.support.bundles.tiny import tiny_metadata
from tests.support.images.unusual_files import file_of, gradient, photograph, truncated
from tests.support.processes.service import until

METADATA = tiny_metadata("tiny", 1)
LIMITS = PoolLimits(processes=1, memory=256 << 20, seconds=1, queue_seconds=30)
PHOTOGRAPH = file_of(photograph(), "JPEG")
ENDLESS = "JPEG of 8,000 empty scans"


@pytest.fixture
def pool(metrics: Metrics) -> Iterator[ImagePool]:
    pool = ImagePool(LIMITS, metrics.image_jobs)
    yield pool
    pool.stop()


def task(*contents: bytes, max_pixels: int = 50_000_000) -> ImageTask:
    return ImageTask(contents, METADATA.input, METADATA.preprocessing, max_pixels, 200_000_000)


def prepared(pool: ImagePool, *contents: bytes) -> PreparedImages:
    job = pool.submit(task(*contents))
    pool.complete(job)
    assert isinstance(job.result, PreparedImages), job.result
    return job.result


def failure(pool: ImagePool, job: ImageJob) -> ImageFailure:
    pool.complete(job)
    assert isinstance(job.result, ImageFailure), job.result
    return job.result


def begun(pool: ImagePool, wanted: ImageTask) -> ImageJob:
    """A job that a process has begun."""
    job = pool.submit(wanted)

    def has_begun() -> bool:
        pool.on_readable()
        return job.has_begun

    until(has_begun, "it has begun")
    return job


def process_id(pool: ImagePool) -> int:
    (process,) = pool._processes
    return process.child.pid


def test_images_become_the_pixels_and_steps_that_they_become_in_the_loop(pool: ImagePool) -> None:
    files = [file_of(gradient(50, 40)), PHOTOGRAPH, file_of(gradient(), "TIFF"), file_of(photograph(), "AVIF")]

    result = prepared(pool, *files)

    expected = [prepare_file(each, METADATA.input, METADATA.preprocessing) for each in files]
    assert np.array_equal(result.pixels, np.stack([each.pixels for each in expected]))
    assert result.steps == tuple(each.steps for each in expected)
    assert result.decode_seconds > 0
    assert result.preprocess_seconds > 0


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(truncated(PHOTOGRAPH), TruncatedImage, id="truncated"),
        pytest.param(b"no image", UnknownFormat, id="unknown"),
        pytest.param(file_of(gradient(200, 200)), ImageTooLarge, id="too large"),
        pytest.param(dear_file("WebP, animated"), ImageTooCostly, id="too costly"),
        pytest.param(dear_file("AVIF of 49 megapixels"), ImageTooCostly, id="too much memory"),
    ],
)
def test_what_is_wrong_with_an_image_is_said_of_that_image(
    pool: ImagePool, content: bytes, error: type[ImageError]
) -> None:
    most = 50_000_000 if error is ImageTooCostly else 10_000
    job = pool.submit(task(PHOTOGRAPH, content, max_pixels=most))

    said = failure(pool, job)

    assert type(said.error) is error
    assert said.row == 1


def test_an_image_without_end_is_ended_and_the_next_one_prepared(
    pool: ImagePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_pool, "PATIENCE", 60.0)
    endless, next_ = pool.submit(task(dear_file(ENDLESS))), pool.submit(task(PHOTOGRAPH))
    pool.complete(next_)

    assert isinstance(next_.result, PreparedImages)
    assert isinstance(endless.result, ImageFailure)
    assert str(endless.result.error) == "the image takes more than 1 seconds to decode"


def test_a_job_over_its_time_gets_an_error_and_the_process_is_replaced(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_pool, "PATIENCE", 0.5)
    pool = ImagePool(PoolLimits(1, 256 << 20, 3, 30), metrics.image_jobs)
    prepared(pool, PHOTOGRAPH)
    first = process_id(pool)

    job = pool.submit(task(dear_file("JPEG of 8 M bare markers")))
    pool.complete(job)

    assert isinstance(job.result, DeadlineExceeded)
    assert "send a smaller or simpler image" in str(job.result)
    prepared(pool, PHOTOGRAPH)
    assert process_id(pool) != first
    pool.stop()


def test_a_decoder_that_crashes_ends_no_more_than_its_job(pool: ImagePool) -> None:
    prepared(pool, PHOTOGRAPH)
    job = begun(pool, task(dear_file(ENDLESS)))
    os.kill(process_id(pool), signal.SIGSEGV)

    assert type(failure(pool, job).error) is DamagedImage
    prepared(pool, PHOTOGRAPH)


def test_a_process_killed_for_want_of_memory_was_too_costly(pool: ImagePool) -> None:
    prepared(pool, PHOTOGRAPH)
    job = begun(pool, task(dear_file(ENDLESS)))
    os.kill(process_id(pool), signal.SIGKILL)

    assert type(failure(pool, job).error) is ImageTooCostly


def test_a_process_that_was_killed_without_a_job_is_replaced(pool: ImagePool) -> None:
    prepared(pool, PHOTOGRAPH)
    os.kill(process_id(pool), signal.SIGKILL)

    prepared(pool, PHOTOGRAPH)  # also where that is seen only after the job was sent to it


@pytest.mark.parametrize(
    ("members", "size"),
    [
        ({"steps": [[]], "decode": 0.1, "preprocess": 0.1}, 3),
        ({"steps": [[]], "decode": -1.0, "preprocess": 0.1}, 9),
        ({"steps": [[]], "decode": "1", "preprocess": 0.1}, 9),
        ({"steps": [], "decode": 0.1, "preprocess": 0.1}, 9),
        ({"steps": [[1]], "decode": 0.1, "preprocess": 0.1}, 9),
        ({"steps": [["a"] * 99], "decode": 0.1, "preprocess": 0.1}, 9),
        ({"row": 7}, 0),
        ({"row": "0"}, 0),
        ({"error": "SystemExit", "text": "", "most": 1}, 0),
        ({"error": "DamagedImage", "text": "x", "most": -1}, 0),
        ([1, 2], 0),
        ({}, 1 << 29),
    ],
)
def test_nothing_that_a_process_says_is_believed_unseen(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch, members: object, size: int
) -> None:
    monkeypatch.setattr(image_pool, "MODULE", "tests.service.isolation.hostile_child")
    monkeypatch.setenv("HOSTILE_MEMBERS", json.dumps(members))
    monkeypatch.setenv("HOSTILE_BYTES", str(size))
    pool = ImagePool(LIMITS, metrics.image_jobs)

    job = pool.submit(task(PHOTOGRAPH))

    assert type(failure(pool, job).error) is DamagedImage
    pool.stop()


def test_more_jobs_than_may_wait_are_turned_away(pool: ImagePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_pool, "MAX_JOBS", 2)
    pool.submit(task(PHOTOGRAPH))
    pool.submit(task(PHOTOGRAPH))

    with pytest.raises(Overloaded, match="try again"):
        pool.submit(task(PHOTOGRAPH))


def test_so_are_more_bytes_but_one_job_is_always_taken(pool: ImagePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_pool, "MAX_BYTES", len(PHOTOGRAPH) - 1)
    pool.submit(task(PHOTOGRAPH))

    with pytest.raises(Overloaded, match="try again"):
        pool.submit(task(PHOTOGRAPH))


def test_a_job_does_not_wait_for_long_behind_one_that_is_stuck(
    pool: ImagePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_pool, "PATIENCE", 0.3)
    monkeypatch.setattr(image_pool, "SLOW_SECONDS", 0.1)
    pool.submit(task(dear_file("JPEG of 8 M bare markers")))
    job = pool.submit(task(PHOTOGRAPH))

    pool.complete(job)

    assert isinstance(job.result, Overloaded)
    assert re.search(r"waited \d\.\d seconds for other large images", str(job.result))


def test_a_process_without_work_is_stopped_after_a_while(metrics: Metrics) -> None:
    now = 0.0
    pool = ImagePool(LIMITS, metrics.image_jobs, clock=lambda: now)
    assert pool.idle_timeout == float("inf")
    prepared(pool, PHOTOGRAPH)
    pid = process_id(pool)
    assert pool.idle_timeout == image_pool.IDLE_SECONDS

    now = image_pool.IDLE_SECONDS + 1
    assert pool.idle_timeout == 0
    pool.run_idle()

    until(lambda: not runs(pid), "the process is gone")
    now += 1
    prepared(pool, PHOTOGRAPH)
    pool.stop()


def test_a_process_that_cannot_be_started_is_said_to_the_client(
    pool: ImagePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(image_pool, "ChildProcess", fail)
    job = pool.submit(task(PHOTOGRAPH))

    assert isinstance(job.result, Overloaded)
    assert re.search("cannot start a process", str(job.result))


def test_threads_of_another_server_share_the_pool(pool: ImagePool) -> None:
    results: list[PreparedImages] = []
    threads = [threading.Thread(target=lambda: results.append(prepared(pool, PHOTOGRAPH))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(results) == 4


def test_the_metrics_say_what_became_of_the_jobs(pool: ImagePool, metrics: Metrics) -> None:
    prepared(pool, PHOTOGRAPH)
    failure(pool, pool.submit(task(b"no image")))
    job = begun(pool, task(dear_file(ENDLESS)))
    os.kill(process_id(pool), signal.SIGSEGV)
    failure(pool, job)

    count: Callable[[str], float] = lambda result: metrics.image_jobs.jobs.labels(result)._value.get()  # noqa: E731
    assert (count("prepared"), count("failed")) == (1, 2)
    assert metrics.image_jobs.exits.labels("crash")._value.get() == 1
    assert metrics.image_jobs.in_progress._value.get() == 0


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

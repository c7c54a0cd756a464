"""Costly images in a running service: every form of body, one line in the log, and nobody waits for them."""

import base64
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from preprocessing.png import encode_png
from tests.support.attacks.files.dear_files import dear_file
from tests.support.http.raw_client import RawConnection, request
from tests.support.images.drawn import tiny_image
from tests.support.images.unusual_files import file_of, photograph
from tests.support.processes.service import RunningService, children, running, until

DIGIT = encode_png(tiny_image(1))
TIFF = file_of(tiny_image(1)[..., 0], "TIFF")
PHOTOGRAPH = file_of(photograph(1500, 2000), "JPEG")
ENDLESS = dear_file("JPEG of 8 M bare markers")
BOUNDARY = "multipart/form-data; boundary=limit"


@pytest.fixture(scope="module")
def service(models: Path) -> Iterator[RunningService]:
    with running(models, workers=1) as service:
        yield service


def image_processes(worker: int) -> list[int]:
    """The children of a worker that decode images."""
    return [pid for pid in children(worker) if b"image_process" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def form(*files: bytes) -> bytes:
    parts = [
        b'--limit\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + file + b"\r\n"
        for file in files
    ]
    return b"".join(parts) + b"--limit--\r\n"


def predictions(service: RunningService, path: str, body: bytes, **headers: str) -> object:
    response = service.post(path, body, **headers)
    assert response.status == 200, response.body
    document = json.loads(response.body)
    return document.get("predictions") or document["outputs"]


def test_the_response_is_that_of_the_same_pixels_in_a_cheap_file(service: RunningService) -> None:
    assert predictions(service, "/predict", TIFF) == predictions(service, "/predict", DIGIT)


def test_in_every_form_of_body(service: RunningService) -> None:
    cheap, costly = (base64.b64encode(file).decode() for file in (DIGIT, TIFF))
    v1 = [json.dumps({"instances": [{"b64": text}] * 2}).encode() for text in (cheap, costly)]
    native = [json.dumps({"images": [text] * 2}).encode() for text in (cheap, costly)]

    assert predictions(service, "/predict", form(TIFF, DIGIT), **{"Content-Type": BOUNDARY}) == predictions(
        service, "/predict", form(DIGIT, DIGIT), **{"Content-Type": BOUNDARY}
    )
    assert predictions(service, "/v1/models/mnist:predict", v1[1]) == predictions(
        service, "/v1/models/mnist:predict", v1[0]
    )
    typed = {"Content-Type": "application/json"}
    first, second = (service.post("/predict", body, **typed) for body in native)
    assert (first.status, first.body) == (second.status, second.body) or first.status == 400


def test_there_is_one_line_in_the_log_and_one_count_for_a_suspended_request(service: RunningService) -> None:
    response = service.post("/predict", TIFF, **{"X-Request-ID": "suspended-1"})

    assert response.status == 200
    until(lambda: b"suspended-1" in service.stdout.read_bytes(), "it is logged")
    (line,) = [line for line in service.stdout.read_text().splitlines() if "suspended-1" in line]
    assert json.loads(line)["status"] == 200
    assert b"http_requests_in_progress 1.0" in service.get("/metrics").body  # the scrape itself


def test_others_do_not_wait_for_an_image_without_end_and_it_is_answered(service: RunningService) -> None:
    (worker,) = service.workers()
    with RawConnection(service.port) as attacker:
        attacker.send(request("POST", "/predict", ENDLESS))
        time.sleep(0.5)
        longest = 0.0
        for _ in range(100):
            began = time.perf_counter()
            assert service.post("/predict", DIGIT).status == 200
            longest = max(longest, time.perf_counter() - began)
        response = attacker.response()

    assert response.status in (413, 504)
    assert longest < 0.5
    assert service.workers() == [worker]


def test_a_client_that_does_not_stay_costs_no_more_than_its_job(service: RunningService) -> None:
    for _ in range(3):
        with RawConnection(service.port) as gone:
            gone.send(request("POST", "/predict", PHOTOGRAPH))
            time.sleep(0.05)

    assert service.post("/predict", TIFF).status == 200
    until(lambda: b"convserve_image_jobs_in_progress 0.0" in service.get("/metrics").body, "no job is left")


def test_a_killed_process_is_replaced(service: RunningService) -> None:
    (worker,) = service.workers()
    service.post("/predict", TIFF)
    (before,) = image_processes(worker)
    os.kill(before, signal.SIGKILL)

    assert service.post("/predict", TIFF).status == 200
    (after,) = image_processes(worker)
    assert after != before


def test_no_process_is_left_when_the_service_stops(models: Path) -> None:
    with running(models, workers=1) as service:
        service.post("/predict", TIFF)
        (child,) = image_processes(service.workers()[0])
        service.stop()

        until(lambda: not Path(f"/proc/{child}").exists(), "the process is gone")


def test_probabilities_of_a_photograph_are_those_of_its_pixels(service: RunningService) -> None:
    assert np.isclose(1, sum(each["probability"] for each in predictions(service, "/predict", PHOTOGRAPH)[0]["top_k"]))  # type: ignore[index]

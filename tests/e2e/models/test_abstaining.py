"""Abstaining with several workers: every worker does it, and their counts are added up and kept."""

import dataclasses
import json
import re
from pathlib import Path

from preprocessing.png import encode_png
from tests.support.bundles.tiny import publish_tiny, tiny_metadata
from tests.support.http.raw_client import RawConnection, request
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import RunningService, running

SURE, UNSURE = encode_png(tiny_image(1)), encode_png(tiny_image(1) // 2)  # 0.965 and 0.785
REQUESTS = 20  # of each kind, over a connection each, so that both workers get some


def ask(service: RunningService, image: bytes) -> bool:
    """Whether the service abstains from saying what an image shows."""
    with RawConnection(service.port) as connection:
        connection.send(request("POST", "/models/careful/predict", image))
        (prediction,) = json.loads(connection.response().body)["predictions"]
    abstained: bool = prediction["abstained"]
    return abstained


def counted(service: RunningService) -> int:
    text = service.get("/metrics").body.decode()
    found = re.search(r'^convserve_abstained_total\{.*reason="unsure".*\} (.*)$', text, re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def test_all_workers_abstain_and_their_counts_outlive_them(tmp_path: Path) -> None:
    publish_tiny(tmp_path, "careful", output=dataclasses.replace(tiny_metadata("tiny").output, abstain_below=0.9))
    with running(tmp_path, workers=2) as service:
        responses = [(ask(service, UNSURE), ask(service, SURE)) for _ in range(REQUESTS)]
        before = counted(service)
        service.reload()
        ask(service, UNSURE)

        assert responses == [(True, False)] * REQUESTS
        assert before == REQUESTS
        assert counted(service) == REQUESTS + 1

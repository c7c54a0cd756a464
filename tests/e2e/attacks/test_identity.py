"""Every response is that of its own request, whatever the connections do, also while workers are replaced."""

import time
from pathlib import Path

import pytest

from tests.support.attacks.identity import IdentityClients, distinct_images, expected_responses
from tests.support.processes.service import ROOT, RunningService, read_counts, running

MODELS = ROOT / "models"
CLIENTS, IMAGES = 64, 1500


def mnist() -> Path:
    """The newest version of a real model."""
    return max((MODELS / "mnist").iterdir(), key=lambda folder: int(folder.name))


@pytest.fixture(scope="module")
def clients_data() -> tuple[list[bytes], list[tuple[int, float]]]:
    files = distinct_images(IMAGES)
    expected = expected_responses(mnist(), files)
    assert len(set(expected)) > 0.99 * IMAGES  # hardly two images have the same probability
    return files, expected


def reload_five_times(service: RunningService) -> None:
    for _ in range(5):
        time.sleep(2)
        service.reload()


@pytest.mark.parametrize(
    ("seconds", "reloads"),
    [(4, False), pytest.param(60, False, marks=pytest.mark.slow), pytest.param(60, True, marks=pytest.mark.slow)],
    ids=["short", "a minute", "a minute with five reloads"],
)
def test_no_response_is_wrong_lost_or_counted_twice(
    clients_data: tuple[list[bytes], list[tuple[int, float]]], seconds: float, reloads: bool
) -> None:
    with running(MODELS, workers=2, drain_timeout=3, max_queue=2000) as service:
        clients = IdentityClients(service.port, "/predict", *clients_data)
        clients.run(CLIENTS, seconds, lambda: reload_five_times(service) if reloads else None)
        counted = read_counts(service, "http_requests_total", "route")["/predict"]

    assert clients.faults == []
    assert set(clients.counts) == {"right"}
    assert counted == clients.counts["right"] > 100 * seconds

"""Orders, reloads and ends while all workers are busy with as many requests as they can take."""

import hashlib
import signal
import time
from pathlib import Path

import pytest

from tests.support.attacks.saturation import saturated
from tests.support.bundles.tiny import publish_tiny
from tests.support.http.raw_client import RawConnection, request
from tests.support.load.generator import failures
from tests.support.processes.service import RunningService, read_counts, running, until

pytestmark = pytest.mark.slow  # each takes all of the machine
SOON = 1.0  # seconds, beside the loading
KEY = "secret"


def stop(service: RunningService) -> tuple[int, float]:
    """Exit status, and seconds from SIGTERM until the process has ended."""
    begun = time.monotonic()
    return service.stop(), time.monotonic() - begun


def counted(service: RunningService) -> float:
    return read_counts(service, "http_requests_total", "route").get("/predict", 0)


def test_old_workers_leave_soon_after_the_new_ones_serve_and_no_request_is_lost(attacked_models: Path) -> None:
    with running(attacked_models, workers=2) as service:
        with saturated(service.port) as load:
            time.sleep(1)
            old = set(service.workers())
            service.process.send_signal(signal.SIGHUP)
            until(lambda: len(set(service.workers()) - old) == 2, "new workers are started", pause=0.005)
            until(lambda: bool(old - set(service.workers())), "an old worker has left", pause=0.005)
            first = time.monotonic()
            until(lambda: old.isdisjoint(service.workers()), "all old workers have left", pause=0.005)
            last = time.monotonic()
        total = counted(service)

        assert last - first < SOON
        assert failures(load.results) == []
        assert len(load.results) == total > 100


def test_sigterm_ends_a_saturated_service_at_once_and_no_request_is_lost(attacked_models: Path) -> None:
    with running(attacked_models, workers=2) as service:
        _, idle = stop(service)
    with running(attacked_models, workers=2) as service, saturated(service.port) as load:
        time.sleep(1)
        status, seconds = stop(service)

    assert status == 0
    assert seconds < SOON + idle
    assert failures(load.results) == []


def test_in_the_drain_delay_of_a_saturated_service_clients_learn_that_it_ends(attacked_models: Path) -> None:
    with running(attacked_models, workers=2, drain_delay=3) as service, saturated(service.port) as load:
        with RawConnection(service.port) as kept:
            kept.send(request("GET", "/livez"))
            kept.response()
            time.sleep(1)
            service.process.send_signal(signal.SIGTERM)
            begun = time.monotonic()
            kept.send(request("GET", "/livez"))
            response = kept.response()
            seconds = time.monotonic() - begun
        service.process.wait(20)

    assert response.headers["Connection"] == "close"
    assert seconds < SOON
    assert failures(load.results) == []


def test_an_order_to_a_saturated_service_is_done_soon(tmp_path: Path) -> None:
    keys = tmp_path / "admin.keys"
    keys.write_text(hashlib.sha256(KEY.encode()).hexdigest())
    publish_tiny(tmp_path / "models", "mnist")
    publish_tiny(tmp_path / "models", "other")
    with running(tmp_path / "models", workers=2, poll_interval=0, admin_keys=keys) as service:
        with saturated(service.port) as load:
            time.sleep(1)
            for verb in ("unload", "load"):
                begun = time.monotonic()
                path = f"/v2/repository/models/other/{verb}"
                response = service.post(path, b"", authorization=f"Bearer {KEY}")
                seconds = time.monotonic() - begun

                assert response.status == 200
                assert seconds < 2 * SOON  # of which a load of this bundle is one, in two workers beside the clients

        assert failures(load.results) == []


def test_a_new_version_is_served_soon_by_a_saturated_service(tmp_path: Path) -> None:
    publish_tiny(tmp_path / "models", "mnist")
    with running(tmp_path / "models", workers=2, poll_interval=0.2) as service:
        with saturated(service.port) as load:
            time.sleep(1)
            publish_tiny(tmp_path / "models", "mnist", 2)
            begun = time.monotonic()
            time.sleep(3)
        versions = [result.version for result in load.results if result.sent > begun + 2.5]

        assert failures(load.results) == []
        assert set(versions) == {2}

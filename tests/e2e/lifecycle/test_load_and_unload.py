"""Loading and unloading over /v2/repository: permission, the promise of the response, and memory.

The runs with more cycles and workers are marked `slow` (`make prove`).
"""

import fcntl
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tritonclient.http import InferenceServerClient
from tritonclient.utils import InferenceServerException

from preprocessing.png import encode_png
from tests.support.bundles.copies import copy_bundle, flip_a_bit
from tests.support.bundles.tiny import publish_tiny
from tests.support.http.raw_client import Response
from tests.support.http.triton_client import connect
from tests.support.images.drawn import tiny_image
from tests.support.load.generator import failures, traffic
from tests.support.processes.service import ROOT, RunningService, running

KEY = "a long and random text"
BEARER = {"Authorization": f"Bearer {KEY}"}
PNG = encode_png(tiny_image(1))
WARM = 20  # cycles after which a worker's memory must not grow any more


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "models"
    publish_tiny(root, "mnist", 1)
    publish_tiny(root, "other", 1)
    return root


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "admin.keys"
    file.write_text(f"# of the tests\n{hashlib.sha256(KEY.encode()).hexdigest()}\n")
    return file


@pytest.fixture
def service(repository: Path, keys: Path) -> Iterator[RunningService]:
    with running(repository, workers=2, poll_interval=0, admin_keys=keys) as service:
        yield service


@pytest.fixture
def triton(service: RunningService) -> Iterator[InferenceServerClient]:
    with connect(service) as client:
        yield client


def order(service: RunningService, verb: str, name: str = "mnist", key: str = KEY) -> Response:
    return service.post(f"/v2/repository/models/{name}/{verb}", b"", authorization=f"Bearer {key}")


def statuses(service: RunningService, name: str = "mnist") -> set[int]:
    """Of many predictions, over new connections that all workers get some of."""
    return {service.post(f"/models/{name}/predict", PNG).status for _ in range(24)}


@pytest.mark.parametrize("workers", [2, 4])
def test_a_load_or_unload_holds_for_every_worker_once_answered(repository: Path, keys: Path, workers: int) -> None:
    with running(repository, workers=workers, poll_interval=0, admin_keys=keys) as service:
        for _ in range(5):
            assert order(service, "unload").status == 200
            assert statuses(service) == {404}
            assert order(service, "load").status == 200
            assert statuses(service) == {200}

        assert statuses(service, "other") == {200}


def test_tritons_client_loads_and_unloads(triton: InferenceServerClient) -> None:
    triton.unload_model("mnist", headers=BEARER)
    unloaded = {row["name"]: row["state"] for row in triton.get_model_repository_index()}
    was_ready = triton.is_model_ready("mnist")
    triton.load_model("mnist", headers=BEARER)

    assert unloaded == {"mnist": "UNAVAILABLE", "other": "READY"}
    assert not was_ready
    assert triton.is_model_ready("mnist")


def test_a_load_takes_what_is_new_of_that_model_alone(service: RunningService, repository: Path) -> None:
    publish_tiny(repository, "mnist", 2)
    publish_tiny(repository, "other", 2)

    assert order(service, "load").status == 200

    assert service.get("/v2/models/mnist").json()["versions"] == ["1", "2"]
    assert service.get("/v2/models/other").json()["versions"] == ["1"]


def test_a_load_that_fails_says_why_and_leaves_the_old_version(
    triton: InferenceServerClient, service: RunningService, repository: Path
) -> None:
    broken = copy_bundle(repository / "mnist" / "1", repository / "mnist" / "2", flip_a_bit)

    with pytest.raises(InferenceServerException, match=r"failed to load 'mnist': version 2: .*another SHA-256"):
        triton.load_model("mnist", headers=BEARER)

    assert statuses(service) == {200}
    flip_a_bit(broken)
    triton.load_model("mnist", headers=BEARER)
    assert service.post("/predict", PNG).json()["model_version"] == 2


@pytest.mark.parametrize("verb", ["load", "unload"])
def test_a_model_that_is_not_there_is_named(triton: InferenceServerClient, verb: str) -> None:
    call = {"load": triton.load_model, "unload": triton.unload_model}[verb]

    with pytest.raises(InferenceServerException, match=f"failed to {verb} 'nothing'"):
        call("nothing", headers=BEARER)


def test_a_model_in_a_load_request_is_rejected(triton: InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="models come from the repository only"):
        triton.load_model("mnist", headers=BEARER, config="{}", files={"file:1/model.onnx": b"?"})


@pytest.mark.parametrize("verb", ["load", "unload"])
def test_without_the_key_nothing_happens(service: RunningService, verb: str) -> None:
    path = f"/v2/repository/models/mnist/{verb}"
    responses = [order(service, verb, key=key) for key in ("", "wrong", KEY + "x", KEY[:-1], "\xe4")]
    responses += [service.post(path, b""), service.post(path, b"", authorization=f"Basic {KEY}")]

    assert {(response.status, response.headers["X-Error-Code"]) for response in responses} == {(401, "unauthorized")}
    assert all(response.headers["WWW-Authenticate"].startswith("Bearer") for response in responses)
    assert statuses(service) == {200}


def test_a_load_request_delays_no_other_request(
    repository: Path, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(repository, workers=1, poll_interval=0, admin_keys=keys) as service:
        guard = next(tmp_path.glob("convserve-*")) / "loads.lock"
        with guard.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # as whoever loads a bundle for the first time

            assert order(service, "load").status == 200
            assert statuses(service) == {200}


def test_a_load_or_unload_outlives_the_workers(service: RunningService) -> None:
    order(service, "unload")

    service.reload()

    assert statuses(service) == {404}
    assert order(service, "load").status == 200
    assert statuses(service) == {200}


def test_a_service_whose_models_are_unloaded_on_purpose_is_ready(service: RunningService) -> None:
    order(service, "unload")

    assert service.get("/readyz").status == 200
    assert "it was unloaded" in service.post("/predict", PNG).json()["error"]


@pytest.mark.parametrize(
    ("workers", "cycles"),
    [(2, 60), pytest.param(2, 200, marks=pytest.mark.slow), pytest.param(4, 200, marks=pytest.mark.slow)],
)
def test_loads_and_unloads_keep_no_memory(repository: Path, keys: Path, workers: int, cycles: int) -> None:
    copy_bundle(ROOT / "models" / "cifar10" / "1", repository / "cifar10" / "1")
    memory = {}
    with (
        running(repository, workers=workers, poll_interval=0, admin_keys=keys) as service,
        traffic(service.port, rate=100) as load,
    ):
        for cycle in range(1, cycles + 1):
            assert order(service, "load", "cifar10").status == 200
            assert {service.post("/models/cifar10/predict", PNG).status for _ in range(workers)} == {200}
            assert order(service, "unload", "cifar10").status == 200
            memory[cycle] = [resident(pid) for pid in service.workers()]

    assert failures(load.results) == []
    for early, late in zip(memory[WARM], memory[cycles], strict=True):
        assert late <= 1.10 * early, f"a worker grew from {early >> 10} to {late >> 10} KiB"


def resident(pid: int) -> int:
    """Bytes of memory that a process has now."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) << 10

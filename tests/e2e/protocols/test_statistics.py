"""The statistics of the Open Inference Protocol over two workers: exact, monotonic, and kept when workers end."""

import itertools
import json
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tritonclient.http import InferenceServerClient
from tritonclient.utils import InferenceServerException

from tests.support.bundles.tiny_batches import batch, batch_files
from tests.support.http.triton_client import connect, pixels, statistics
from tests.support.processes.service import RunningService, running, stopped, until

STAGES = {"success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"}
V1 = "/v1/models/mnist:predict"
V2 = "/v2/models/mnist/infer"
TENSOR = {"name": "image", "datatype": "UINT8", "shape": [1, 8, 8, 1], "data": [0] * 64}


def test_the_statistics_have_every_key_that_perf_analyzer_reads(triton: InferenceServerClient) -> None:
    triton.infer("mnist", pixels(batch(8)))
    found = statistics(triton)
    durations = [*found["inference_stats"].values()]
    batches = {each["batch_size"]: each for each in found["batch_stats"]}

    assert (found["name"], found["version"]) == ("mnist", "2")
    assert found["last_inference"] > 1_700_000_000_000
    assert found["inference_stats"].keys() == STAGES
    assert all(type(each["count"]) is type(each["ns"]) is int for each in durations)
    assert found["inference_stats"]["compute_infer"]["ns"] > 0
    assert batches[8].keys() == {"batch_size", "compute_input", "compute_infer", "compute_output"}
    assert found.keys() >= {"inference_count", "execution_count", "response_stats", "memory_usage"}


def test_the_statistics_of_all_models_are_in_one_list(triton: InferenceServerClient) -> None:
    every = triton.get_inference_statistics()["model_stats"]
    versions = triton.get_inference_statistics("mnist")["model_stats"]

    assert {(each["name"], each["version"]) for each in every} == {("mnist", "1"), ("mnist", "2"), ("colour", "1")}
    assert {each["version"] for each in versions} == {"1", "2"}
    with pytest.raises(InferenceServerException, match="there is no model 'nothing'"):
        triton.get_inference_statistics("nothing")


def work(service: RunningService) -> None:
    """11 images in 4 requests of three protocols, and a failure, over new connections."""
    with connect(service) as client:
        client.infer("mnist", pixels(batch(8)))
        client.infer("mnist", pixels(batch(1)))
        with pytest.raises(InferenceServerException):
            client.infer("mnist", pixels(batch(1).reshape(1, 64)))
        with pytest.raises(InferenceServerException):
            client.infer("nothing", pixels(batch(1)))
    assert service.post("/predict", batch_files(1)[0]).status == 200
    assert service.post(V1, json.dumps({"instances": batch(1).tolist()}).encode()).status == 200


def read_statistics(service: RunningService) -> dict[str, Any]:
    """The statistics, over a new connection."""
    with connect(service) as client:
        return statistics(client)


def counts(found: dict[str, Any]) -> dict[str, int]:
    """The numbers of images, runs, successes, failures, and runs of 8 images."""
    stages = {stage: found["inference_stats"][stage]["count"] for stage in STAGES}
    eights = sum(each["compute_infer"]["count"] for each in found["batch_stats"] if each["batch_size"] == 8)
    return {"images": found["inference_count"], "runs": found["execution_count"], "eights": eights, **stages}


def test_the_statistics_are_exact_whichever_worker_did_the_work_and_whichever_is_asked(service: RunningService) -> None:
    before = counts(read_statistics(service))
    for idle in service.workers():  # everything goes to the other one
        with stopped(idle):
            work(service)
    seen = []
    for idle in service.workers():
        with stopped(idle):
            seen.append(read_statistics(service))

    expected = {"images": 22, "runs": 8, "eights": 2, "success": 8, "fail": 2, "compute_infer": 8, "cache_hit": 0}
    changed = {name: count - before[name] for name, count in counts(seen[0]).items()}
    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert changed.items() >= expected.items()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (V2, b"{"),
        (V2, json.dumps({"inputs": [{**TENSOR, "shape": [1, 64]}]}).encode()),
        (V2, json.dumps({"inputs": [TENSOR], "outputs": [{"name": "logits"}]}).encode()),
        (V1, b"{"),
        (V1, json.dumps({"instances": [[1]]}).encode()),
        (V1, json.dumps({"instances": [[[[0]] * 8] * 8], "signature_name": "other"}).encode()),
        ("/predict", b"no image"),
        ("/predict?top_k=99", batch_files(1)[0]),
    ],
    ids=["v2 JSON", "v2 shape", "v2 output", "v1 JSON", "v1 shape", "v1 signature", "native image", "native query"],
)
def test_every_failure_of_a_model_that_was_found_is_counted(service: RunningService, path: str, body: bytes) -> None:
    before = counts(read_statistics(service))
    response = service.post(path, body)
    after = counts(read_statistics(service))

    assert response.status == 400
    assert after == {**before, "fail": before["fail"] + 1}


def test_the_statistics_never_fall_while_requests_run(service: RunningService) -> None:
    def send_many(_: int) -> None:
        with connect(service) as client:
            for _ in range(250):
                client.infer("mnist", pixels(batch(2)))

    with ExitStack() as clients, ThreadPoolExecutor(4) as senders:
        watchers = [clients.enter_context(connect(service)) for _ in range(4)]
        before = statistics(watchers[0])
        sending = [senders.submit(send_many, number) for number in range(4)]
        polls = [before]
        for watcher in itertools.cycle(watchers):
            done = all(each.done() for each in sending)
            polls.append(statistics(watcher))
            if done:
                break
        for each in sending:
            each.result()

    for told_of in ("inference_count", "execution_count", "last_inference"):
        series = [each[told_of] for each in polls]
        assert series == sorted(series)
    nanoseconds = [each["inference_stats"]["success"]["ns"] for each in polls]
    assert nanoseconds == sorted(nanoseconds)
    assert len(polls) > 10
    assert polls[-1]["inference_count"] - before["inference_count"] == 2000


def kill(service: RunningService) -> None:
    """End all workers at once, without a word."""
    for pid in service.workers():
        os.kill(pid, signal.SIGKILL)


def reload(service: RunningService) -> None:
    """Ask for new workers."""
    service.process.send_signal(signal.SIGHUP)


@pytest.mark.parametrize("end", [kill, reload])
def test_the_statistics_outlive_the_workers(models: Path, end: Callable[[RunningService], None]) -> None:
    with running(models, workers=2) as service:
        work(service)
        before = read_statistics(service)
        old = set(service.workers())
        end(service)
        until(lambda: len(service.workers()) == 2 and old.isdisjoint(service.workers()), "new workers have taken over")

        assert before["inference_count"] == 11
        assert read_statistics(service) == before

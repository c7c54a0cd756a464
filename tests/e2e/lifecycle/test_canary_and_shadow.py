"""A canary gets its share from every worker, and a shadow is compared without an effect on clients."""

import json
import os
import re
import signal
import statistics
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from preprocessing.png import encode_png
from service.inference.shadow_queue import MAX_SHARE
from tests.support.bundles.policy import set_policy
from tests.support.bundles.special_networks import failing_graph, failing_image, slow_graph
from tests.support.bundles.tiny import publish_tiny, tiny_graph
from tests.support.bundles.tiny_batches import batch, batch_files
from tests.support.http.raw_client import RawConnection, request
from tests.support.images.drawn import tiny_image
from tests.support.load.generator import between, failures, percentile, traffic
from tests.support.processes.service import RunningService, read_counts, running, stopped, until

PNG = encode_png(tiny_image(1))
PREDICT = request("POST", "/predict", PNG, content_type="image/png")
ANSWERED = "convserve_batch_size_count"
COMPARED = "convserve_shadow_comparisons_total"
PERMUTED = tiny_graph(order=(1, 2, 0))
SOON = 0.1  # seconds between looks at the repository
SETTLED = 0.8  # seconds after which every worker follows a policy, on a busy machine too


def publish(folder: Path, *networks: bytes) -> Path:
    """A repository of versions of `mnist` with these networks, from 1."""
    models = folder / "models"
    folder.mkdir(exist_ok=True)
    for version, network in enumerate(networks, start=1):
        publish_tiny(models, "mnist", version, network=network)
    return models


def ask(service: RunningService, count: int, keep_alive: bool = True) -> Counter[int]:
    """Ask so many times, over one connection or each time over a new one; the versions that answered."""
    found: Counter[int] = Counter()
    with ExitStack() as clients:
        kept = clients.enter_context(RawConnection(service.port)) if keep_alive else None
        for _ in range(count):
            with nullcontext(kept) if kept else RawConnection(service.port) as connection:
                connection.send(PREDICT)
                response = connection.response()
            assert response.status == 200
            found[response.json()["model_version"]] += 1
    return found


def await_version(service: RunningService, version: int) -> None:
    """Wait for a version that takes long to load: a service is ready with the others before."""
    path = f"/v2/models/mnist/versions/{version}/ready"
    until(lambda: service.get(path).status == 200, "the version is loaded")


def ask_all(service: RunningService) -> set[int]:
    """The versions that answer over so many connections that every worker has some."""
    with ThreadPoolExecutor(8) as clients:
        return set().union(*clients.map(lambda _: ask(service, 5), range(16)))


# Canary


@pytest.mark.parametrize("workers", [2, 4])
def test_a_canary_gets_its_share_of_all_requests(tmp_path: Path, workers: int) -> None:
    models = publish(tmp_path, tiny_graph(), tiny_graph())
    set_policy(models, canary={"version": 2, "share": 0.1})
    with running(models, workers=workers) as service, ThreadPoolExecutor(4) as clients:
        kinds = [True, False, True, False]
        found = sum(clients.map(lambda kind: ask(service, 1250, kind), kinds), Counter())
        counted = read_counts(service, ANSWERED, "version")

    assert found.total() == 5000
    assert abs(found[2] / 5000 - 0.1) < 0.02
    assert counted == {"1": found[1], "2": found[2]}


INSTANCES = json.dumps({"instances": batch(1).tolist()}).encode()
EXAMPLES = json.dumps({"examples": [{"image": batch(1)[0].tolist()}]}).encode()
NAMED = {"x_request_id": "mine"}
IMAGE = {"content_type": "image/png", **NAMED}
RAW = {"inference_header_content_length": "0"}


def test_in_every_protocol_the_canary_gets_only_requests_without_a_version(tmp_path: Path) -> None:
    models = publish(tmp_path, tiny_graph(), tiny_graph())
    set_policy(models, canary={"version": 2, "share": 1})
    with running(models) as service:
        for place in ("", "/versions/1", "/versions/2"):
            service.post(f"/models/mnist{place}/predict", PNG, content_type="image/png")
            service.post(f"/models/mnist{place}/predict?top_k=1", PNG)
            service.post(f"/v2/models/mnist{place}/infer", PNG, **RAW)
            service.post(f"/v1/models/mnist{place}:predict", INSTANCES)
            service.post(f"/v1/models/mnist{place}:classify", EXAMPLES)

        assert read_counts(service, ANSWERED, "version") == {"1": 5, "2": 10}


def test_every_worker_follows_a_policy_under_load_and_no_request_fails(tmp_path: Path) -> None:
    models = publish(tmp_path, tiny_graph(), tiny_graph())
    steps: list[tuple[float, set[int]]] = []
    with running(models, workers=4, poll_interval=SOON) as service, traffic(service.port) as load:
        for policy, answering in (
            ({"canary": {"version": 2, "share": 1}}, {2}),
            ({"canary": {"version": 2, "share": 0.5}}, {1, 2}),
            ({"default": 1, "shadow": {"version": 2, "share": 1}}, {1}),
            (None, {2}),
        ):
            if policy is None:
                (models / "serving.json").unlink()
            else:
                set_policy(models, **policy)
            time.sleep(SETTLED)
            steps.append((time.monotonic(), answering))
            time.sleep(0.5)

    assert len(load.results) > 1000
    assert failures(load.results) == []
    for settled, answering in steps:
        assert {result.version for result in between(load.results, settled, settled + 0.4)} == answering


def kill(service: RunningService) -> None:
    """End one worker without a word, and wait for the one that takes its place."""
    killed = service.workers()[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: killed not in service.workers() and service.serving() == 2, "another has taken over")


@pytest.mark.parametrize("end", [kill, RunningService.reload], ids=["killed", "reloaded"])
def test_a_policy_outlives_workers(tmp_path: Path, end: Callable[[RunningService], None]) -> None:
    models = publish(tmp_path, tiny_graph(), tiny_graph())
    set_policy(models, canary={"version": 2, "share": 1})
    with running(models, workers=2) as service:
        end(service)

        assert ask_all(service) == {2}


# Shadow


def exchange(service: RunningService) -> list[str]:
    """What is answered to requests of all kinds, right and wrong, without dates and timings."""
    requests = [
        *(request("POST", "/predict", file, **IMAGE) for file in batch_files(3)),
        request("POST", "/predict?top_k=2", PNG, **NAMED),
        request("POST", "/predict", encode_png(failing_image()), **IMAGE),
        request("POST", "/predict", b"no image", **IMAGE),
        request("POST", "/v2/models/mnist/infer", PNG, inference_header_content_length="0", **NAMED),
        request("POST", "/v2/models/mnist/infer", b"{", **NAMED),
        request("POST", "/v1/models/mnist:predict", INSTANCES, **NAMED),
        request("POST", "/v1/models/mnist:classify", EXAMPLES, **NAMED),
        request("GET", "/summary", x_request_id="mine"),
    ]
    found = []
    with RawConnection(service.port) as connection:
        for each in requests:
            connection.send(each)
            response = connection.response()
            head = re.sub(r"Date: .*|dur=[\d.]+", "", str(response.headers))
            found.append(f"{response.status}\n{head}{response.body!r}")
    return found


def logged(service: RunningService) -> list[tuple[str, int]]:
    """Path and status of each line of the access log, but for the questions of the tests themselves."""
    lines = [json.loads(line) for line in service.stdout.read_text().splitlines()]
    return [(line["path"], line["status"]) for line in lines if line["path"] not in ("/readyz", "/metrics")]


@pytest.mark.parametrize("network", [PERMUTED, failing_graph()], ids=["other labels", "a network that fails"])
def test_a_shadow_changes_no_response_and_no_line_in_the_log(tmp_path: Path, network: bytes) -> None:
    models = publish(tmp_path, tiny_graph(), network)
    set_policy(models, versions=[1, 2], default=1)
    with running(models) as service:
        plain, plain_log = exchange(service), logged(service)
        requests = read_counts(service, "http_requests_total", "route")
    set_policy(models, default=1, shadow={"version": 2, "share": 1})
    with running(models) as service:
        shadowed, shadowed_log = exchange(service), logged(service)
        until(lambda: sum(seen(service).values()) == 8, "all copies have been seen to")
        predicted = read_counts(service, ANSWERED, "version")
        stats = service.get("/v2/models/stats").json()["model_stats"]

    assert shadowed == plain
    assert shadowed_log == plain_log
    assert requests["/predict"] == 6
    assert predicted == {"1": 8}
    assert [each["inference_count"] for each in stats] == [8, 0]


def seen(service: RunningService) -> Counter[str]:
    """How many copies came to which end."""
    ends: Counter[str] = Counter()
    ends.update(read_counts(service, COMPARED, "result"))
    ends.update(read_counts(service, "convserve_shadow_failures_total", "reason"))
    ends.update(read_counts(service, "convserve_shadow_dropped_total", "reason"))
    return +ends  # without those that came to nothing


@pytest.mark.parametrize(
    ("network", "result", "probability_apart"),
    [(tiny_graph(), "agree", 0.0), (PERMUTED, "flip", 0.947)],
    ids=["an equal network", "a permuted network"],
)
def test_agreement_is_counted_for_every_copy(
    tmp_path: Path, network: bytes, result: str, probability_apart: float
) -> None:
    models = publish(tmp_path, tiny_graph(), network)
    set_policy(models, default=1, shadow={"version": 2, "share": 1})
    with running(models, workers=2) as service:
        assert ask(service, 20, keep_alive=False) == {1: 20}
        until(lambda: seen(service).total() == 20, "all copies have been seen to")
        ends = seen(service)
        old = ends.pop("old", 0)  # on a machine that does other things too
        apart = sum(read_counts(service, "convserve_shadow_difference_sum", "model").values())
        timed = read_counts(service, "convserve_shadow_seconds_count", "version")
        predicted = read_counts(service, "convserve_predictions_total", "version")

    assert ends == {result: 20 - old}
    assert apart == pytest.approx((20 - old) * probability_apart, rel=0.01)
    assert timed == {"2": 20 - old}
    assert predicted == {"1": 20}


def test_every_waiting_request_is_answered_before_a_copy_is_classified(tmp_path: Path) -> None:
    models = publish(tmp_path, tiny_graph(), slow_graph(1500))
    set_policy(models, default=1, shadow={"version": 2, "share": 1})
    with running(models) as service, ExitStack() as clients:
        await_version(service, 2)
        connections = [clients.enter_context(RawConnection(service.port)) for _ in range(5)]
        for connection in connections:  # so that the worker has them all
            connection.send(request("GET", "/livez"))
            connection.response()
        with stopped(service.workers()[0]):
            for connection in connections:
                connection.send(PREDICT)
        resumed = time.monotonic()
        statuses = [connection.response().status for connection in connections]
        answered = time.monotonic() - resumed
        until(lambda: seen(service)["agree"] >= 1, "a copy has been compared")
        seconds = read_counts(service, "convserve_shadow_seconds_sum", "version")["2"] / seen(service)["agree"]

    assert statuses == [200] * 5
    assert answered < seconds / 2


WINDOWS = 5
SECONDS = 0.7  # of each


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, 4])
def test_a_slow_shadow_does_not_change_the_median_latency(tmp_path: Path, workers: int) -> None:
    models, tried = (publish(tmp_path / name, tiny_graph(), slow_graph(300)) for name in ("plain", "tried"))
    set_policy(models, versions=[1, 2], default=1)
    set_policy(tried, default=1, shadow={"version": 2, "share": 1})
    with running(models, workers=workers) as plain, running(tried, workers=workers) as shadowed:
        began = time.monotonic()
        pairs = [medians(plain, shadowed) for _ in range(WINDOWS)]
        elapsed = time.monotonic() - began
        compared = sum(read_counts(shadowed, COMPARED, "result").values())
        seconds = read_counts(shadowed, "convserve_shadow_seconds_sum", "version")["2"]

    assert statistics.median(with_shadow / without for without, with_shadow in pairs) <= 1.10
    assert seconds / compared > 0.005
    assert seconds - workers * seconds / compared < MAX_SHARE * elapsed * workers


def medians(one: RunningService, other: RunningService) -> tuple[float, float]:
    """Median latencies of two services, in seconds, loaded at the same time, so that noise affects both."""
    with traffic(one.port, rate=250) as first, traffic(other.port, rate=250) as second:
        time.sleep(SECONDS)
    assert failures(first.results + second.results) == []
    return percentile(first.results, 0.5), percentile(second.results, 0.5)

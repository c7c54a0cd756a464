"""A real Prometheus, configured as deployed, counts what was sent exactly; rules and panels work on what it sees."""

import dataclasses
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import pytest
from PIL import Image

from tests.support.batches import batch
from tests.support.bundles import describe, graph, publish_tiny
from tests.support.monitoring import Query, alerts, queries
from tests.support.othernetworks import touchy_graph, touchy_picture
from tests.support.pictures import as_file, as_npy, as_png, picture
from tests.support.policies import write_policy
from tests.support.prometheus import Prometheus, scraping
from tests.support.running import RunningService, running, until
from tests.support.wire import Wire, request

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus on the PATH")

WORKERS = 3
ROUNDS = 2  # rate() sees a counter rise only after it has seen the counter
PNG, TOUCHY = as_png(picture(1)), as_png(touchy_picture())
YESTERDAY = (
    "1d"  # that there is none is what panels which look back to it have to say; the tests of the rules make one up
)
LARGE = as_file(Image.new("RGB", (1700, 1700), "white"), "BMP")  # 8.7 MB: more than a shadow's copies may have


@dataclass(frozen=True)
class Sent:
    """A request, how often it is sent in a round, and what it should be counted as."""

    times: int
    path: str
    body: bytes
    route: str
    status: int
    reason: str = ""  # of the error
    model: str = ""  # which classified it
    images: int = 1


ROUND = (
    Sent(12, "/predict", PNG, "/predict", 200, model="mnist"),
    Sent(2, "/predict", as_npy(batch(4)), "/predict", 200, model="mnist", images=4),
    Sent(1, "/predict", LARGE, "/predict", 200, model="mnist"),
    Sent(3, "/v2/models/careful/infer", PNG, "/v2/models/<name>/infer", 200, model="careful"),
    Sent(1, "/models/careful/predict", TOUCHY, "/models/<name>/predict", 200, model="careful"),
    Sent(4, "/predict", b"no image", "/predict", 400, "invalid_image"),
    Sent(1, "/models/nobody/predict", PNG, "/models/<name>/predict", 404, "model_not_found"),
    Sent(1, "/nowhere", PNG, "unmatched", 404, "route_not_found"),
    Sent(
        1,
        "/models/careful/versions/2/predict",
        TOUCHY,
        "/models/<name>/versions/<version>/predict",
        500,
        "internal_error",
    ),
)


@dataclass(frozen=True)
class Watched:
    """What Prometheus counted before a worker was killed, and Prometheus as it was afterwards."""

    before: dict[str, dict[str, float]]
    prometheus: Prometheus


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    models = publish_all(tmp_path_factory.mktemp("models"))
    with (
        running(models, workers=WORKERS) as service,
        scraping(service.port, tmp_path_factory.mktemp("prometheus")) as prometheus,
    ):
        for _ in range(ROUNDS):
            send_round(service)
            prometheus.catch_up()
        before = counted(prometheus)
        kill_a_worker(service)
        prometheus.catch_up()
        yield Watched(before, prometheus)


def publish_all(models: Path) -> Path:
    """A canary, shadows that disagree and that fail, a model that always abstains, and a version that is refused."""
    for version, network in ((1, graph()), (2, graph(order=(1, 2, 0))), (3, graph())):
        publish_tiny(models, "mnist", version, network=network)
    (publish_tiny(models, "mnist", 4) / "model.onnx").write_bytes(b"no graph")
    careful = dataclasses.replace(describe("careful").output, abstain_below=1.0)
    for version, network in ((1, graph()), (2, touchy_graph())):
        publish_tiny(models, "careful", version, network=network, output=careful)
    policy = {"default": 1, "shadow": {"version": 2, "share": 1}}
    canary = {"version": 3, "share": 0.5}
    write_policy(models, {"models": {"mnist": {**policy, "canary": canary}, "careful": policy}})
    return models


def send_round(service: RunningService) -> None:
    """Send every request over a connection of its own, eight at a time, so that all workers get some."""

    def send(sent: Sent) -> int:
        headers = {"inference_header_content_length": "0"} if sent.path.endswith("/infer") else {}
        with Wire(service.port) as wire:
            wire.send(request("POST", sent.path, sent.body, **headers))
            return wire.answer().status

    every = [sent for sent in ROUND for _ in range(sent.times)]
    with ThreadPoolExecutor(8) as clients:
        assert list(clients.map(send, every)) == [sent.status for sent in every]


def kill_a_worker(service: RunningService) -> None:
    """End one without a word, and wait for the one that takes its place."""
    killed = service.workers()[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: killed not in service.workers() and service.serving() == WORKERS, "another has taken over")


def counted(prometheus: Prometheus) -> dict[str, dict[str, float]]:
    """Requests by route and status, images by model, errors by reason; without what this test asks itself."""
    requests = prometheus.query('sum by (route, status) (http_requests_total{route!~"/metrics|/readyz"})')
    by_kind = {"{route} {status}".format(**each["metric"]): float(each["value"][1]) for each in requests}
    return {
        "requests": by_kind,
        "images": prometheus.values("sum by (model) (convserve_predictions_total)", "model"),
        "errors": prometheus.values("convserve_rejected_total", "reason"),
    }


def expected() -> dict[str, dict[str, float]]:
    """The same of what was sent."""
    totals: dict[str, Counter[str]] = {"requests": Counter(), "images": Counter(), "errors": Counter()}
    for sent in ROUND:
        count = ROUNDS * sent.times
        totals["requests"][f"{sent.route} {sent.status}"] += count
        if sent.model:
            totals["images"][sent.model] += count * sent.images
        if sent.reason:
            totals["errors"][sent.reason] += count
    return {name: dict(total) for name, total in totals.items()}


def test_what_was_sent_is_counted_exactly(watched: Watched) -> None:
    assert watched.before == expected()


def test_a_killed_worker_is_counted_and_takes_no_count_with_it(watched: Watched) -> None:
    deaths = watched.prometheus.values("convserve_worker_deaths_total", "cause")

    assert deaths == {"signal": 1, "exit": 0, "timeout": 0}
    assert watched.prometheus.values("convserve_workers", "job") == {"convserve": WORKERS}
    assert counted(watched.prometheus) == watched.before


def test_of_the_balancer_only_whether_it_is_up_is_kept(watched: Watched) -> None:
    found = {each["metric"]["__name__"] for each in watched.prometheus.query('{job="balancer"}')}

    assert watched.prometheus.values('up{job="balancer"}', "job") == {"balancer": 1}
    assert {name for name in found if not name.startswith("scrape_")} == {"up"}


def test_every_rule_can_be_evaluated(watched: Watched) -> None:
    rules = watched.prometheus.rules()

    assert len(rules) > 40
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []


def test_alerts_for_single_events_fire_and_no_others(watched: Watched) -> None:
    states = {rule["name"]: rule["state"] for rule in watched.prometheus.rules() if rule["type"] == "alerting"}

    assert states.keys() == alerts().keys()
    assert {name for name, state in states.items() if state == "firing"} == {
        "ModelRefused",
        "UnexpectedErrors",
        "WorkerDied",
    }


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.panel)
def test_a_panel_has_data(watched: Watched, query: Query) -> None:
    found = watched.prometheus.query(query.filled())

    assert any(not isnan(float(sample["value"][1])) for sample in found) or YESTERDAY in query.expression

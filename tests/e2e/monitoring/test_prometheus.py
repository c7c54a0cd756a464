"""A real Prometheus, configured as deployed, counts exactly what was sent; rules and panels work on its samples."""

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan

import pytest

from tests.support.deploy.monitoring import Query, alerts, queries
from tests.support.load.mixed_requests import Totals, expected_totals, publish_models, send_round
from tests.support.processes.prometheus import Prometheus, scraping
from tests.support.processes.service import RunningService, running, until

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus on the PATH")

WORKERS = 3
ROUNDS = 2  # rate() sees a counter rise only after it has seen the counter
YESTERDAY = "1d"  # there is none for panels that look back to it; the tests of the rules make one up


@dataclass(frozen=True)
class Watched:
    """What Prometheus counted before a worker was killed, and Prometheus as it was afterwards."""

    before: Totals
    prometheus: Prometheus


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    models = publish_models(tmp_path_factory.mktemp("models"))
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


def kill_a_worker(service: RunningService) -> None:
    """End one without a word, and wait for the one that takes its place."""
    killed = service.workers()[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: killed not in service.workers() and service.serving() == WORKERS, "another has taken over")


def counted(prometheus: Prometheus) -> Totals:
    """Requests by route and status, images by model, errors by reason; without what this test asks itself."""
    requests = prometheus.query('sum by (route, status) (http_requests_total{route!~"/metrics|/readyz"})')
    by_kind = {"{route} {status}".format(**each["metric"]): float(each["value"][1]) for each in requests}
    return {
        "requests": by_kind,
        "images": prometheus.values("sum by (model) (convserve_predictions_total)", "model"),
        "errors": prometheus.values("convserve_rejected_total", "reason"),
    }


def test_what_was_sent_is_counted_exactly(watched: Watched) -> None:
    assert watched.before == expected_totals(ROUNDS)


def test_a_killed_worker_is_counted_and_takes_no_count_with_it(watched: Watched) -> None:
    deaths = watched.prometheus.values("convserve_worker_deaths_total", "cause")

    assert deaths == {"signal": 1, "exit": 0, "timeout": 0, "memory": 0}
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

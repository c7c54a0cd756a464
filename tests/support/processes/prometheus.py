"""A real Prometheus that scrapes one service: the configuration of deploy/ with other targets and intervals."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.support.deploy.monitoring import PROMETHEUS, RULES, load
from tests.support.processes.service import free_port, until

INTERVAL = "1s"
RESPONSE_SECONDS = 10.0

Sample = dict[str, Any]


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    port: int

    def query(self, expression: str) -> list[Sample]:
        """The samples that PromQL finds now; raises HTTPError for invalid PromQL."""
        found: list[Sample] = self._get("query", query=expression)["result"]
        return found

    def values(self, expression: str, by: str) -> dict[str, float]:
        """The values that PromQL finds now, by one of their labels."""
        return {each["metric"].get(by, ""): float(each["value"][1]) for each in self.query(expression)}

    def rules(self) -> list[dict[str, Any]]:
        """All rules, with the result of their last evaluation."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def catch_up(self) -> None:
        """Wait until everything so far is scraped, and every group of rules has evaluated it twice."""
        now = time.time()
        until(lambda: self._time_of('up{job="convserve"}') > now, "the service is scraped")
        until(lambda: self._time_of("instance:convserve_queue_waiting:rate1m") > now + 3, "rules are evaluated")

    def _time_of(self, series: str) -> float:
        """When the last sample was taken, 0 where there is none."""
        return max(self.values(f"timestamp({series})", "job").values(), default=0.0)

    def _get(self, path: str, **parameters: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urlencode(parameters)}"
        with urlopen(url, timeout=RESPONSE_SECONDS) as response:
            return json.load(response)["data"]


@contextmanager
def scraping(service_port: int, folder: Path) -> Iterator[Prometheus]:
    """Start Prometheus with its data in a folder, and wait for its first scrape; it is stopped afterwards."""
    port = free_port()
    configuration = folder / "prometheus.yml"
    configuration.write_text(yaml.safe_dump(configure(folder, service_port, port)))
    options = {
        "config.file": configuration,
        "storage.tsdb.path": folder / "data",
        "web.listen-address": f"127.0.0.1:{port}",
    }
    command = ["prometheus", *(f"--{name}={value}" for name, value in options.items())]
    log = folder / "stderr"
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        found = Prometheus(port)
        until(lambda: _is_up(found), f"Prometheus has scraped; {log} says more")
        yield found
    finally:
        process.terminate()
        process.wait()


def _is_up(prometheus: Prometheus) -> bool:
    with suppress(OSError):
        return prometheus.values("up", "job") == {"convserve": 1, "balancer": 1, "prometheus": 1}
    return False


def configure(folder: Path, service_port: int, port: int) -> dict[str, Any]:
    """The configuration with copies of the rules; there is no Alertmanager."""
    document: dict[str, Any] = load(PROMETHEUS / "prometheus.yml")
    targets = {"convserve": service_port, "balancer": service_port, "prometheus": port}
    jobs = [job for job in document["scrape_configs"] if job["job_name"] in targets]
    for job in jobs:
        job.pop("dns_sd_configs", None)
        job["static_configs"] = [{"targets": [f"127.0.0.1:{targets[job['job_name']]}"]}]
    times = {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL}
    return {
        "global": times,
        "rule_files": [str(_shorten_intervals(file, folder)) for file in RULES],
        "scrape_configs": jobs,
    }


def _shorten_intervals(rules: Path, folder: Path) -> Path:
    """A copy of rules without intervals of their own."""
    groups = [{key: value for key, value in group.items() if key != "interval"} for group in load(rules)["groups"]]
    copy = folder / f"rules-{rules.name}"
    copy.write_text(yaml.safe_dump({"groups": groups}))
    return copy

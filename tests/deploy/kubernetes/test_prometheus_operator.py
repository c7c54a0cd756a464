"""The objects for Kubernetes' Prometheus operator and adapter: targets, rules, the autoscaler's metric."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.deploy.kubernetes import FOLDER, Objects, selects

RULES = FOLDER.parent / "prometheus" / "rules"
ADAPTER = yaml.safe_load((FOLDER / "monitoring" / "prometheus-adapter.yaml").read_text())
GROUPS = """\
# why
groups:
  - name: one
    rules:
      - alert: Bad
        expr: >-
          up
          == 0
"""


def test_prometheus_finds_the_service_under_the_name_that_the_rules_ask_for(production: Objects) -> None:
    monitor, service = production.the("ServiceMonitor")["spec"], production.the("Service")
    (endpoint,) = monitor["endpoints"]

    assert selects(monitor["selector"]["matchLabels"], service["metadata"]["labels"])
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert service["metadata"]["labels"][monitor["jobLabel"]] == "convserve"


def test_the_adapter_brings_the_metric_that_the_autoscaler_asks_for(production: Objects) -> None:
    metrics = production.the("HorizontalPodAutoscaler")["spec"]["metrics"]
    (wanted,) = [each["pods"]["metric"]["name"] for each in metrics if each["type"] == "Pods"]
    (rule,) = ADAPTER["rules"]["custom"]

    assert rule["name"]["as"] == wanted
    assert {label: each["resource"] for label, each in rule["resources"]["overrides"].items()} == {
        "namespace": "namespace",
        "pod": "pod",
    }


@pytest.mark.skipif(not RULES.is_dir(), reason="no rules of Prometheus")
def test_the_adapter_reads_a_figure_that_prometheus_records() -> None:
    (asked,) = re.findall(r'__name__="([^"]+)"', ADAPTER["rules"]["custom"][0]["seriesQuery"])

    assert any(f"record: {asked}\n" in path.read_text() for path in RULES.glob("*.yml"))


def test_rules_become_objects_with_the_same_groups(tmp_path: Path) -> None:
    written = tmp_path / "alerts.yml"
    written.write_text(GROUPS)
    files = [written, *sorted(RULES.glob("*.yml"))]

    command = ["sh", str(FOLDER / "monitoring" / "prometheusrule.sh"), *map(str, files)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    made = list(yaml.safe_load_all(printed))
    assert [each["spec"] for each in made] == [yaml.safe_load(path.read_text()) for path in files]
    assert [each["metadata"]["name"] for each in made] == [f"convserve-{path.stem}" for path in files]
    assert {(each["apiVersion"], each["kind"]) for each in made} == {("monitoring.coreos.com/v1", "PrometheusRule")}

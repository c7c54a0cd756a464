"""Prometheus accepts its configuration and rules, and tests of every alert let it fire and stay silent."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.deploy.monitoring import DEPLOY, PROMETHEUS, RULE_TESTS, alerts, load, rules

ROOT = DEPLOY.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
HEADINGS = ["Severity", "Meaning", "Why it matters", "Look at", "Do"]
ALERTS = OPERATIONS.partition("\n## Alerts\n")[2].partition("\n## ")[0]

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool on the PATH")


def promtool(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)


@needs_promtool
def test_prometheus_takes_its_configuration_and_rules() -> None:
    checked = promtool("check", "config", PROMETHEUS / "prometheus.yml")

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "2 rule files found" in checked.stdout


@needs_promtool
@pytest.mark.parametrize("file", RULE_TESTS, ids=lambda file: file.stem)
def test_rules_say_what_they_should(file: Path) -> None:
    tested = promtool("test", "rules", file)

    assert tested.returncode == 0, tested.stdout + tested.stderr


def expectations() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The alerts that the tests of the rules look at, and what they expect to fire."""
    for file in RULE_TESTS:
        for test in load(file)["tests"]:
            for expected in test.get("alert_rule_test", []):
                yield expected["alertname"], expected["exp_alerts"]


def test_every_alert_fires_in_one_test_and_is_silent_in_another() -> None:
    firing = {name for name, expected in expectations() if expected}
    silent = {name for name, expected in expectations() if not expected}

    assert len(alerts()) > 10
    assert firing == silent == alerts().keys()


@pytest.mark.parametrize("alert", alerts().values(), ids=alerts())
def test_an_alert_says_how_urgent_it_is_what_is_the_matter_and_where_to_read_on(alert: dict[str, Any]) -> None:
    annotations = alert["annotations"]

    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert "for" in alert
    assert annotations["summary"]
    assert "$value" in annotations["description"]
    assert annotations["runbook"] == f"docs/operations.md#{alert['alert'].lower()}"


def test_every_alert_has_a_section_with_its_severity_and_no_other_has_one() -> None:
    sections = dict(re.findall(r"^### (\w+)\n\n- \*\*Severity:\*\* (\w+)", ALERTS, re.MULTILINE))

    assert sections == {name: alert["labels"]["severity"] for name, alert in alerts().items()}


@pytest.mark.parametrize("name", alerts())
def test_a_section_of_an_alert_says_what_it_means_why_it_matters_where_to_look_and_what_to_do(name: str) -> None:
    section = ALERTS.partition(f"\n### {name}\n")[2].partition("\n### ")[0]

    assert re.findall(r"^- \*\*([\w ]+):\*\* ", section, re.MULTILINE) == HEADINGS


def test_recorded_figures_are_named_by_level_metric_and_operations() -> None:
    names = [rule["record"] for rule in rules() if "record" in rule]

    assert len(names) > 10
    assert [name for name in names if not re.fullmatch(r"[a-z_]+:[a-z_0-9]+:[a-z_0-9]+", name)] == []


def test_windows_of_drift_add_up_minutes_because_the_rules_run_every_minute() -> None:
    (drift,) = (group for group in load(PROMETHEUS / "rules" / "recording.yml")["groups"] if group["name"] == "drift")
    increases = [rule for rule in drift["rules"] if rule["record"].endswith(":increase1m")]

    assert drift["interval"] == "1m"
    assert len(increases) == 4
    assert all("[1m]" in rule["expr"] for rule in increases)


def test_the_alert_for_memory_knows_the_limit() -> None:
    limit = load(ROOT / "docker-compose.yml")["services"]["service"]["deploy"]["resources"]["limits"]["memory"]

    assert limit == "1g"
    assert alerts()["MemoryNearLimit"]["expr"].endswith("> 0.85 * 2 ^ 30")

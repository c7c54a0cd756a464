"""Alertmanager accepts its configurations, which differ only in the receivers."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.deploy.monitoring import DEPLOY, alerts, load

FOLDER = DEPLOY / "alertmanager"
FILES = sorted(FOLDER.glob("*.yml"))
CONFIGURATIONS = {file.stem: load(file) for file in FILES}


def version() -> tuple[int, ...]:
    """Major and minor number of amtool."""
    said = subprocess.run(["amtool", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\d+)\.(\d+)", said.stdout + said.stderr)
    assert found is not None
    return tuple(map(int, found.groups()))


@pytest.mark.skipif(shutil.which("amtool") is None, reason="no amtool on the PATH")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_alertmanager_takes_a_configuration(file: Path) -> None:
    if "url_file" in file.read_text() and version() < (0, 26):
        pytest.skip("this amtool is older than url_file, which came with 0.26")

    checked = subprocess.run(["amtool", "check-config", file], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_by_default_no_one_is_notified() -> None:
    assert CONFIGURATIONS["alertmanager"]["receivers"] == [{"name": "page"}]


def test_the_webhook_gets_all_alerts_but_info_and_its_url_is_in_no_file() -> None:
    configuration = CONFIGURATIONS["webhook"]

    (webhook,) = (receiver for receiver in configuration["receivers"] if receiver["name"] == "webhook")
    assert configuration["route"]["receiver"] == "webhook"
    assert configuration["route"]["routes"] == [{"matchers": ['severity="info"'], "receiver": "page"}]
    assert webhook["webhook_configs"] == [{"url_file": "/run/secrets/alert_webhook", "send_resolved": True}]


def test_both_group_and_inhibit_alike() -> None:
    page, webhook = CONFIGURATIONS["alertmanager"], CONFIGURATIONS["webhook"]

    assert page["inhibit_rules"] == webhook["inhibit_rules"]
    for name in ("group_by", "group_wait", "group_interval", "repeat_interval"):
        assert page["route"][name] == webhook["route"][name]


def test_only_alerts_that_exist_inhibit_others_or_are_inhibited() -> None:
    rules: list[dict[str, Any]] = CONFIGURATIONS["alertmanager"]["inhibit_rules"]
    matchers = [matcher for rule in rules for matcher in rule["source_matchers"] + rule["target_matchers"]]
    named = [name for matcher in matchers for name in re.findall(r"[A-Z]\w+", matcher)]

    assert len(named) > 5
    assert set(named) - alerts().keys() == set()


def test_where_no_replica_is_ready_the_alerts_that_follow_from_it_are_inhibited() -> None:
    first, *_ = CONFIGURATIONS["alertmanager"]["inhibit_rules"]
    (matcher,) = first["target_matchers"]

    assert first["source_matchers"] == ['alertname="NoReplicaReady"']
    assert set(re.findall(r"[A-Z]\w+", matcher)) == {
        "BalancerReachesNoReplica",
        "ErrorBudgetBurnsFast",
        "ErrorBudgetBurnsSlowly",
        "ReplicaComesAndGoes",
        "ReplicaNotReady",
        "RequestsTurnedAway",
        "WorkerDied",
    }

"""The configuration of Prometheus, Alertmanager and Grafana in deploy/, read as they read it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
RULE_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "convserve.json"
WINDOW = "1m"  # what $__rate_interval stands for in tests


@dataclass(frozen=True)
class Query:
    """One query of one panel of the dashboard."""

    panel: str
    expression: str

    def filled(self) -> str:
        """The expression as Grafana sends it, with every variable set to all."""
        every = re.sub(r'"\$(model|version|instance)"', '".*"', self.expression)
        return every.replace("$__rate_interval", WINDOW)


def load(file: Path) -> Any:
    """The document in a YAML file."""
    return yaml.safe_load(file.read_text())


def rules() -> list[dict[str, Any]]:
    """All rules: those with `record`, and those with `alert`."""
    return [rule for file in RULES for group in load(file)["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """The alerts by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana loads it."""
    document: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return document


def panels() -> list[dict[str, Any]]:
    """Its panels, without the rows that group them."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries() -> list[Query]:
    """All queries of all panels."""
    return [Query(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]


def names(expression: str) -> set[str]:
    """The metrics that an expression may mean: its words outside of strings."""
    return set(re.findall(r"[a-z_][a-z0-9_:]*", re.sub(r'"[^"]*"', "", expression), re.IGNORECASE))

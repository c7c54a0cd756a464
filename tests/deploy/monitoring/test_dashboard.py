"""The dashboard is complete: every metric of the service is in it or in a rule, and every panel can be read."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.deploy.monitoring import DEPLOY, dashboard, load, names, panels, queries, rules

OPERATIONS = (DEPLOY.parent / "docs" / "operations.md").read_text()
PARTS = ("", "_bucket", "_sum", "_count")  # of a histogram


def documented() -> list[str]:
    """The metrics in the table of docs/operations.md."""
    table = OPERATIONS.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_every_metric_of_the_service_is_in_a_panel_or_a_rule() -> None:
    expressions = [query.expression for query in queries()] + [rule["expr"] for rule in rules()]
    used = set().union(*map(names, expressions))

    assert len(documented()) >= 20
    assert [metric for metric in documented() if not any(metric + part in used for part in PARTS)] == []


def test_every_recorded_figure_that_a_panel_shows_is_recorded() -> None:
    shown = {name for query in queries() for name in names(query.expression) if ":" in name}

    assert len(shown) > 5
    assert shown - {rule.get("record") for rule in rules()} == set()


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_a_panel_says_how_to_read_it_and_asks_the_provisioned_source(panel: dict[str, Any]) -> None:
    (source,) = load(DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    wanted = {"type": source["type"], "uid": source["uid"]}

    assert len(panel["description"]) > 20
    assert [asked["datasource"] for asked in (panel, *panel["targets"])] == [wanted] * (1 + len(panel["targets"]))
    if panel["type"] == "timeseries":
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert all("{{" in target["legendFormat"] or len(panel["targets"]) > 1 for target in panel["targets"])


def cells_of(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    """Columns and lines of Grafana's grid, which has 24 columns."""
    return itertools.product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"]))


def test_no_panel_covers_another_and_each_has_a_number_of_its_own() -> None:
    every = dashboard()["panels"]
    cells = [cell for panel in every for cell in cells_of(panel["gridPos"])]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23
    assert len({panel["id"] for panel in every}) == len(every)


def test_the_variables_are_those_that_queries_use() -> None:
    used = {word for query in queries() for word in re.findall(r"\$([a-z]\w*)", query.expression)}

    assert used == {variable["name"] for variable in dashboard()["templating"]["list"]}

"""Tables, the description of the machine, and figures on disk."""

import json
from pathlib import Path

import pytest

from bench.report import describe_machine, format_number, format_table, write_results


def test_columns_are_as_wide_as_their_widest_cell_and_numbers_stand_to_the_right() -> None:
    assert format_table(("n", "images/s"), [("1", "2349"), ("32", "4947")]).splitlines() == [
        "|  n | images/s |",
        "| -: | -------: |",
        "|  1 |     2349 |",
        "| 32 |     4947 |",
    ]


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        pytest.param(372.4, 0, "372", id="whole"),
        pytest.param(0.417, 2, "0.42", id="decimals"),
        pytest.param(None, 2, "–", id="nothing measured"),
    ],
)
def test_figures_are_rounded_and_gaps_are_shown(value: float | None, digits: int, text: str) -> None:
    assert format_number(value, digits) == text


def test_figures_are_kept_with_the_machine_they_were_measured_on(tmp_path: Path) -> None:
    machine = describe_machine()

    path = write_results(tmp_path / "results", "start", machine, [0.7])

    assert json.loads(path.read_text()) == {"benchmark": "start", "machine": machine, "figures": [0.7]}
    assert path.name.endswith("-start.json")


def test_the_processors_name_is_a_fact(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Some CPU 9000\nflags\t\t: fpu\n")

    assert describe_machine(cpuinfo)["cpu"] == "Some CPU 9000"

"""Figures on disk."""

import json
from pathlib import Path

from bench.machine import machine_facts
from bench.results import write_results


def test_figures_are_kept_with_the_machine_they_were_measured_on(tmp_path: Path) -> None:
    machine = machine_facts()

    path = write_results(tmp_path / "results", "start", machine, [0.7])

    assert json.loads(path.read_text()) == {"what": "start", "machine": machine, "figures": [0.7]}
    assert path.name.endswith("-start.json")


def test_the_processors_name_is_a_fact(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Some CPU 9000\nflags\t\t: fpu\n")

    assert machine_facts(cpuinfo)["cpu"] == "Some CPU 9000"

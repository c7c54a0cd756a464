"""Reports of a run: Markdown tables for the terminal, and a JSON file with the figures and the machine they are of."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from service.cpus import usable_cpus

PACKAGES = ("flask", "gunicorn", "numpy", "onnxruntime", "orjson", "pillow", "prometheus-client")

Row = Sequence[str]
Machine = dict[str, object]


def format_table(head: Row, rows: Sequence[Row]) -> str:
    """A Markdown table with aligned columns, numbers to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    rule = [f"{'-' * (width - 1)}:" for width in widths]
    return "\n".join(_line(row, widths) for row in [head, rule, *rows])


def format_number(value: float | None, digits: int = 0) -> str:
    """A figure with so many decimals, or a dash for None."""
    return "–" if value is None else f"{value:.{digits}f}"


def _line(row: Row, widths: Sequence[int]) -> str:
    cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
    return f"| {' | '.join(cells)} |"


def describe_machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> Machine:
    """Processor, cores, load at this moment, Python, packages and the date."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(cpuinfo),
        "cores": usable_cpus(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _cpu_model(cpuinfo: Path) -> str:
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def write_results(folder: Path, benchmark: str, machine: Machine, figures: object) -> Path:
    """Write `<date>-<benchmark>.json` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    date = str(machine["date"]).partition("+")[0].replace(":", "")
    path = folder / f"{date}-{benchmark}.json"
    path.write_text(json.dumps({"benchmark": benchmark, "machine": machine, "figures": figures}, indent=1) + "\n")
    return path

"""What a figure was measured on, without which it says nothing."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from service.cpus import usable_cpus

PACKAGES = ("flask", "gunicorn", "gunicorn_h1c", "numpy", "onnxruntime", "orjson", "pillow", "prometheus-client")

Facts = dict[str, object]


def machine_facts(cpuinfo: Path = Path("/proc/cpuinfo")) -> Facts:
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

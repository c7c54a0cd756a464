"""What a model was made with: the command, the moment, the libraries and the machine."""

import os
import platform
import re
import resource
import shlex
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

_CPUINFO = Path("/proc/cpuinfo")
_NUMBER = r"-?\d[\d.]*(e-?\d+)?"
_FRACTIONS = re.compile(rf"{_NUMBER}(/{_NUMBER})?(,{_NUMBER}(/{_NUMBER})?)*")  # --scale 1/255, --std 1/4,1/5,1/4


def portable_command(arguments: Sequence[str]) -> str:
    """The command as typed, every path cut down to its last part: the rest is private to the machine."""
    return shlex.join(["python", "-m", "training", *map(_without_folders, arguments)])


def describe_versions(libraries: Iterable[str]) -> dict[str, str]:
    """Python's version and those of the libraries that shape the result."""
    return {"python": platform.python_version(), **{name: version(name) for name in libraries}}


def describe_machine() -> dict[str, Any]:
    """The kind of machine, not which one."""
    return {"system": platform.system(), "cpu": _cpu_model(), "cores": os.cpu_count()}


def peak_memory_bytes() -> int:
    """The most memory that this process has ever held; Linux counts it in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def utc_now() -> str:
    """The moment in ISO 8601, to the second, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _without_folders(argument: str) -> str:
    option, equals, value = argument.rpartition("=")
    is_path = os.sep in value and not _FRACTIONS.fullmatch(value)
    return option + equals + Path(value).name if is_path else argument


def _cpu_model() -> str:
    if _CPUINFO.is_file():
        for line in _CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

"""Figures kept for later, one JSON file a run."""

import json
from pathlib import Path

from bench.machine import Facts


def write_results(folder: Path, what: str, machine: Facts, figures: object) -> Path:
    """Write `<date>-<what>.json` and return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    date = str(machine["date"]).partition("+")[0].replace(":", "")
    path = folder / f"{date}-{what}.json"
    path.write_text(json.dumps({"what": what, "machine": machine, "figures": figures}, indent=1) + "\n")
    return path

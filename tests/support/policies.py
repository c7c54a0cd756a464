"""The policy of a repository, set as an operator sets it, and the counts that tell what came of it."""

import json
import re
from pathlib import Path
from typing import Any

from tests.support.running import RunningService

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


def set_policy(models: Path, **policy: Any) -> None:
    """Set how `mnist` is served."""
    write_policy(models, {"models": {"mnist": policy}})


def write_policy(models: Path, document: dict[str, Any]) -> None:
    """Set the whole policy, at once: written under another name and renamed."""
    written = models / ".serving.json.new"
    written.write_text(json.dumps(document))
    written.rename(models / "serving.json")


def counts(service: RunningService, metric: str, by: str) -> dict[str, float]:
    """The samples of a metric by the values of one label, those of all other labels added up."""
    found: dict[str, float] = {}
    for name, labels, value in SAMPLE.findall(service.get("/metrics").body.decode()):
        if name == metric:
            key = dict(re.findall(r'(\w+)="([^"]*)"', labels))[by]
            found[key] = found.get(key, 0.0) + float(value)
    return found

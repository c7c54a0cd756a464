"""The policy of a repository, written as an operator writes it."""

import json
from pathlib import Path
from typing import Any


def set_policy(models: Path, **policy: Any) -> None:
    """Set how `mnist` is served."""
    write_policy(models, {"models": {"mnist": policy}})


def write_policy(models: Path, document: dict[str, Any]) -> None:
    """Set the whole policy, at once: written under another name and renamed."""
    written = models / ".serving.json.new"
    written.write_text(json.dumps(document))
    written.rename(models / "serving.json")

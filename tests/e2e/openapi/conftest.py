"""What the tests of the OpenAPI document share: one service of a tiny model that takes an admin key."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.bundles.tiny import publish_tiny
from tests.support.processes.service import RunningService, running

KEY = "a key that no generator guesses"


@pytest.fixture(scope="package")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("described")
    publish_tiny(folder / "models", "mnist", 1)
    keys = folder / "admin.keys"
    keys.write_text(hashlib.sha256(KEY.encode()).hexdigest())
    with running(folder / "models", admin_keys=keys, max_images=4, threads=1) as service:
        yield service


@pytest.fixture(scope="package")
def document(described: RunningService) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(described.get("/openapi.json").body)
    return found

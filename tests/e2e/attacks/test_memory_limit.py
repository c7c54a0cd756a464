"""A service of one worker in a real control group of 1 GiB: no body makes the kernel kill one of its processes."""

from pathlib import Path

import pytest

from tests.support.attacks.attack import Attack, count_requests, statuses
from tests.support.attacks.files.dear_files import DEAR_FILES, dear_file
from tests.support.attacks.forms import packed
from tests.support.attacks.memory_group import memory_group
from tests.support.load.generator import PNG
from tests.support.processes.service import running

GIBIBYTE = 1 << 30


@pytest.mark.docker
@pytest.mark.parametrize("connections", [1, 16], ids=["alone", "on many connections at once"])
def test_no_dear_file_makes_the_kernel_kill_a_process(attacked_models: Path, connections: int) -> None:
    with memory_group(GIBIBYTE) as group, running(attacked_models, workers=1) as service:
        group.add(service.process.pid)
        worker = service.workers()
        for name in DEAR_FILES:
            replies = Attack(service, {}, count_requests(service)).send(
                [packed([dear_file(name)])] * connections, connections
            )

            assert statuses(replies) <= {200, 400, 413, 503, 504}, name
            assert group.kills == 0, name
            assert service.post("/predict", PNG).status == 200
        assert service.workers() == worker
        assert group.peak < GIBIBYTE

"""The worst body of each form is answered, and takes a bounded amount of memory."""

import re
from pathlib import Path

from tests.support.load.costly_bodies import costly_bodies
from tests.support.processes.service import ROOT, running

MOST_GROWTH = 250  # MB of a worker at its peak, beside what it needs without the request


def test_the_worst_body_of_each_form_takes_little_memory() -> None:
    with running(ROOT / "models", workers=1) as service:
        (worker,) = service.workers()[:1]
        for body in costly_bodies():
            Path(f"/proc/{worker}/clear_refs").write_text("5")  # forget the peak, see proc(5)
            before = memory(worker, "VmRSS")

            response = service.post(body.path, body.content, **body.headers)

            assert response.status in (400, 413), (body.name, response.status, response.body[:200])
            assert memory(worker, "VmHWM") - before < MOST_GROWTH, body.name
        assert worker in service.workers()


def memory(pid: int, kind: str) -> float:
    """A line of a process's status in MB."""
    line = re.search(rf"^{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert line
    return int(line[1]) / 1024

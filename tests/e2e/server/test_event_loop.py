"""The worker's loop at its limits: whatever clients do to one another's timing, it goes on and answers."""

from contextlib import ExitStack
from pathlib import Path

from PIL import Image

from tests.support.http.raw_client import Answer, Wire, request
from tests.support.images.drawn import as_file
from tests.support.processes.service import running, stopped

LARGE = as_file(Image.new("L", (7000, 7000)), "PNG")  # 47 kB that take a tenth of a second
HEAVY = request("POST", "/predict", LARGE)


def test_a_connection_that_speaks_while_it_makes_room_for_another_ends_only_itself(models: Path) -> None:
    with running(models, max_connections=1) as service, Wire(service.port) as old:
        (worker,) = service.workers()
        old.send(request("GET", "/livez"))
        old.answer()
        with stopped(worker) as resume, Wire(service.port) as new:
            new.send(request("GET", "/livez"))
            old.send(request("GET", "/livez"))
            resume()
            answer = new.answer()

        assert answer.status == 200
        assert service.workers() == [worker]


def test_a_request_whose_time_runs_out_while_it_waits_in_the_queue_is_still_answered(models: Path) -> None:
    with running(models, idle_timeout=1) as service, ExitStack() as clients:
        (worker,) = service.workers()
        wires = [clients.enter_context(Wire(service.port)) for _ in range(21)]
        for wire in wires:
            wire.send(request("GET", "/livez"))
            wire.answer()
        with stopped(worker):
            for wire in wires[:-1]:
                wire.send(HEAVY)
            wires[-1].send(request("GET", "/livez"))

        statuses = {wire.answer().status for wire in wires}

        assert statuses == {200}
        assert service.workers() == [worker]


def test_thousands_of_pipelined_requests_behind_a_full_queue_are_all_answered(models: Path) -> None:
    with running(models, max_queue=1) as service, Wire(service.port) as first, Wire(service.port) as flood:
        (worker,) = service.workers()
        with stopped(worker):
            first.send(request("GET", "/livez"))
            flood.send(request("GET", "/livez") * 1500)
        answers: list[Answer] = [first.answer(), *(flood.answer() for _ in range(1500))]

        assert {answer.status for answer in answers} <= {200, 503}
        assert service.workers() == [worker]

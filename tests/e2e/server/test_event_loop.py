"""The worker's event loop at its limits: deadlines, full queues and pipelined requests."""

from contextlib import ExitStack
from pathlib import Path

from PIL import Image

from tests.support.http.raw_client import RawConnection, Response, request
from tests.support.images.drawn import as_file
from tests.support.processes.service import running, stopped

LARGE = as_file(Image.new("L", (7000, 7000)), "PNG")  # 47 kB that take a tenth of a second
HEAVY = request("POST", "/predict", LARGE)


def test_a_connection_that_speaks_while_it_makes_room_for_another_ends_only_itself(models: Path) -> None:
    with running(models, max_connections=1) as service, RawConnection(service.port) as old:
        (worker,) = service.workers()
        old.send(request("GET", "/livez"))
        old.response()
        with stopped(worker) as resume, RawConnection(service.port) as new:
            new.send(request("GET", "/livez"))
            old.send(request("GET", "/livez"))
            resume()
            response = new.response()

        assert response.status == 200
        assert service.workers() == [worker]


def test_a_request_whose_time_runs_out_while_it_waits_in_the_queue_is_still_answered(models: Path) -> None:
    with running(models, idle_timeout=1) as service, ExitStack() as clients:
        (worker,) = service.workers()
        connections = [clients.enter_context(RawConnection(service.port)) for _ in range(21)]
        for connection in connections:
            connection.send(request("GET", "/livez"))
            connection.response()
        with stopped(worker):
            for connection in connections[:-1]:
                connection.send(HEAVY)
            connections[-1].send(request("GET", "/livez"))

        statuses = {connection.response().status for connection in connections}

        assert statuses == {200}
        assert service.workers() == [worker]


def test_thousands_of_pipelined_requests_behind_a_full_queue_are_all_answered(models: Path) -> None:
    with (
        running(models, max_queue=1) as service,
        RawConnection(service.port) as first,
        RawConnection(service.port) as flood,
    ):
        (worker,) = service.workers()
        with stopped(worker):
            first.send(request("GET", "/livez"))
            flood.send(request("GET", "/livez") * 1500)
        responses: list[Response] = [first.response(), *(flood.response() for _ in range(1500))]

        assert {response.status for response in responses} <= {200, 503}
        assert service.workers() == [worker]

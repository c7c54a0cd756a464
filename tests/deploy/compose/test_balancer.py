"""The balancer: its errors have the service's form, private routes stay private, everything else is passed on."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from preprocessing.png import encode_png
from service.settings import Settings
from tests.support.deploy.compose import ROOT, Project
from tests.support.http.raw_client import RawConnection, Response, request, send_request
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import until

CONFIGURATION = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text()
API = (ROOT / "docs" / "api.md").read_text()
PNG = encode_png(tiny_image(1))
MIB = 1 << 20


def test_the_limit_of_bodies_is_the_services() -> None:
    assert f"client_max_body_size {Settings().max_body_bytes // MIB}m;" in CONFIGURATION


def test_it_waits_longer_than_the_service_does() -> None:
    assert f"proxy_read_timeout {Settings().request_timeout + 5:.0f}s;" in CONFIGURATION


def test_its_codes_are_documented() -> None:
    table = CONFIGURATION.partition("map $status $code {")[2].partition("}")[0]
    codes = [line.split()[1].rstrip(";") for line in table.strip().splitlines()]

    assert len(codes) == 10
    assert [code for code in codes if f"`{code}`" not in API] == []


def say(project: Project, data: bytes) -> Response:
    """Bytes as they are, and what comes back."""
    with RawConnection(project.port) as connection:
        connection.send(data)
        return connection.response()


@pytest.mark.docker
@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"\x16\x03\x01\x02\x00\x01\r\n", 400, "malformed_request"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n", 400, "malformed_request"),
        (request("GET", "/?" + "q" * 9000), 414, "uri_too_long"),
        (request("GET", "/", cookie="c" * 9000), 431, "headers_too_large"),
        (request("POST", "/predict", content_length=str(16 * MIB + 1)), 413, "too_large"),
        (request("GET", "/metrics"), 404, "route_not_found"),
        (request("GET", "/metrics/"), 404, "route_not_found"),
        (request("GET", "/balancer/refusal"), 404, "route_not_found"),
        (request("POST", "/v2/repository/models/mnist/load"), 403, "loading_not_allowed"),
        (request("POST", "/v2/repository/models/mnist/%75nload"), 403, "loading_not_allowed"),
        (request("POST", "/v2/repository/models/mnist/load/"), 403, "loading_not_allowed"),
        (request("TRACE", "/"), 405, "method_not_allowed"),
        (request("POST", "/predict", transfer_encoding="gzip, chunked"), 501, "unsupported"),
    ],
    ids=[
        "TLS",
        "no header",
        "long path",
        "large header",
        "large body",
        "metrics",
        "metrics with a slash",
        "its own page",
        "load",
        "unload in disguise",
        "load with a slash",
        "TRACE",
        "unknown encoding",
    ],
)
def test_its_errors_have_the_form_of_the_services(project: Project, data: bytes, status: int, code: str) -> None:
    response = say(project, data)

    assert (response.status, response.headers["Content-Type"]) == (status, "application/json")
    others = {} if b" /v2/" in data else {"code": code, "request_id": response.headers["X-Request-ID"]}
    assert response.headers["X-Error-Code"] == code
    assert response.json() == {"error": response.json()["error"], **others}


@pytest.mark.docker
def test_a_body_of_the_largest_size_passes(project: Project) -> None:
    response = send_request(project.port, "POST", "/predict", PNG + bytes(16 * MIB - len(PNG)))

    assert response.status == 200


@pytest.mark.docker
def test_errors_of_the_service_pass_as_they_are(project: Project) -> None:
    response = send_request(project.port, "POST", "/predict", b"no image", x_request_id="mine-1")

    assert (response.status, response.json()["code"], response.json()["request_id"]) == (400, "invalid_image", "mine-1")


@pytest.mark.docker
def test_a_body_in_chunks_passes(project: Project) -> None:
    response = requests.post(f"http://127.0.0.1:{project.port}/predict", data=iter([PNG[:50], PNG[50:]]), timeout=10)

    assert response.status_code == 200
    assert "Server-Timing" in response.headers


@pytest.mark.docker
def test_its_log_and_the_replicas_have_the_same_id(project: Project) -> None:
    send_request(project.port, "POST", "/predict", PNG, x_request_id="seen-by-both")

    lines: dict[str, Any] = {name: logged(project, name, "seen-by-both") for name in ("balancer", "service")}
    assert lines["balancer"]["status"] == lines["service"]["status"] == 200
    assert lines["balancer"]["replicas"].endswith(":8000")


def logged(project: Project, service: str, request_id: str) -> Any:
    """The line of a service's log that has this id."""
    lines = project.compose("logs", "--no-log-prefix", service).splitlines()
    (line,) = [line for line in lines if f'"{request_id}"' in line]
    return json.loads(line)


@pytest.mark.docker
def test_a_thousand_unfinished_bodies_do_not_stop_other_requests(project: Project) -> None:
    """Each keeps as much in memory as it can: a little less than what would go to a file."""
    before = processes(project)
    with ExitStack() as held:
        for _ in range(1000):
            connection = held.enter_context(RawConnection(project.port))
            connection.send(request("POST", "/predict", content_length=str(MIB)) + bytes(16 * 1024 - 1))

        response = send_request(project.port, "POST", "/predict", PNG)

    assert response.status == 200
    assert processes(project) == before


def processes(project: Project) -> str:
    """The process ids in the balancer."""
    return project.compose("exec", "--no-TTY", "balancer", "sh", "-c", "cat /proc/1/task/1/children")


@pytest.mark.docker
def test_more_large_bodies_than_there_is_room_for_are_rejected(project: Project) -> None:
    large = request("POST", "/predict", PNG + bytes(16 * MIB - len(PNG)))
    with ThreadPoolExecutor(24) as clients:
        responses = list(clients.map(lambda _: say(project, large), range(24)))

    refused = [response for response in responses if response.status != 200]
    assert {(response.status, response.json()["code"], response.headers["Retry-After"]) for response in refused} <= {
        (503, "overloaded", "1")
    }
    assert send_request(project.port, "POST", "/predict", PNG).status == 200


@pytest.mark.docker
def test_without_a_replica_it_answers_503_with_retry_after(project: Project) -> None:
    project.compose("stop", "--timeout", "1", "service")
    until(lambda: send_request(project.port, "POST", "/predict", PNG).status != 200, "no replica answers")

    try:
        response = send_request(project.port, "POST", "/predict", PNG)
    finally:
        project.compose("start", "service")

    assert (response.status, response.json()["code"], response.headers["Retry-After"]) == (503, "no_replica", "1")
    until(lambda: send_request(project.port, "POST", "/predict", PNG).status == 200, "it answers again", seconds=60)

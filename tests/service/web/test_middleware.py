"""Around every request: its id, its deadline, its place in metrics and log."""

import json
import re
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask.testing import FlaskClient

from preprocessing.png import encode_png
from service.environ import DEFERRED, ERROR, QUEUE_SECONDS, REQUEST_STATE, RESUMED, Deferred, Suspended
from service.errors import Overloaded, QueueFull
from service.telemetry.access_log import AccessLog
from service.telemetry.metrics import Metrics
from service.telemetry.request_state import RequestState
from service.web.middleware import RequestMiddleware
from service.web.routes import health, v2
from tests.support.images.drawn import tiny_image

PNG = encode_png(tiny_image(1))


@pytest.mark.parametrize("given", ["a", "7f3c-11", "trace/1:span=2", "A" * 128, "Root=1-67a;x"[:8]])
def test_a_valid_request_id_is_returned(client: FlaskClient, given: str) -> None:
    response = client.get("/livez", headers={"X-Request-ID": given})

    assert response.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "A" * 129, "a b", 'a"b', "<script>", "a,b", "é", "a\tb"], ids=repr)
def test_any_other_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    response = client.get("/livez", headers={"X-Request-ID": given})

    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-ID"])


def test_every_request_has_an_id_of_its_own(client: FlaskClient) -> None:
    ids = {client.get("/livez").headers["X-Request-ID"] for _ in range(10)}

    assert len(ids) == 10


def test_requests_are_counted_by_method_route_and_status(client: FlaskClient) -> None:
    client.post("/predict", data=PNG)
    client.post("/models/mnist/predict", data=PNG)
    client.post("/models/nothing/predict", data=PNG)
    client.get("/no/such/path")
    client.open("/livez", method="BREW")

    text = client.get("/metrics").text

    for labels in (
        'method="POST",route="/predict",status="200"',
        'method="POST",route="/models/<name>/predict",status="200"',
        'method="POST",route="/models/<name>/predict",status="404"',
        'method="GET",route="unmatched",status="404"',
        'method="other",route="unmatched",status="405"',
    ):
        assert f"http_requests_total{{{labels}}} 1.0" in text


def test_predictions_are_counted_by_label(client: FlaskClient) -> None:
    for place in (0, 1, 1):
        client.post("/predict", data=encode_png(tiny_image(place)))

    text = client.get("/metrics").text

    assert 'convserve_predictions_total{label="left",model="mnist",version="2"} 1.0' in text
    assert 'convserve_predictions_total{label="middle",model="mnist",version="2"} 2.0' in text
    assert 'convserve_batch_size_count{model="mnist",version="2"} 3.0' in text
    assert 'convserve_confidence_count{model="mnist",version="2"} 3.0' in text


@pytest.mark.parametrize("stage", ["queue", "decode", "preprocess", "infer", "encode"])
def test_every_stage_is_timed(client: FlaskClient, stage: str) -> None:
    client.post("/predict", data=PNG)

    text = client.get("/metrics").text

    assert f'convserve_stage_seconds_count{{model="mnist",stage="{stage}",version="2"}} 1.0' in text


def test_nothing_is_in_progress_but_the_scrape_itself(client: FlaskClient) -> None:
    client.post("/predict", data=PNG)
    client.post("/predict", data=b"")

    assert "\nhttp_requests_in_progress 1.0\n" in client.get("/metrics").text


@pytest.mark.parametrize("line", ["POST /predict", "GET /models/mnist", "GET /v1/models/mnist", "GET /v2/models/mnist"])
def test_a_request_that_waited_too_long_is_turned_away(client: FlaskClient, line: str) -> None:
    method, path = line.split()

    response = client.open(path, method=method, data=PNG, environ_overrides={QUEUE_SECONDS: 31.0})

    assert (response.status_code, response.headers["X-Error-Code"]) == (504, "deadline_exceeded")


@pytest.mark.parametrize("path", [*health.PATHS, *v2.HEALTH_PATHS, "/metrics", "/readyz/"])
def test_probes_are_answered_however_long_the_queue(client: FlaskClient, path: str) -> None:
    response = client.get(path, environ_overrides={QUEUE_SECONDS: 31.0})

    assert response.status_code == 200


@pytest.mark.parametrize("path", [*health.PATHS, *v2.HEALTH_PATHS, "/metrics"])
def test_probes_are_answered_though_the_queue_is_full(client: FlaskClient, path: str) -> None:
    response = client.get(path, environ_overrides={ERROR: QueueFull("try again")})

    assert response.status_code == 200


def test_an_error_of_the_server_is_answered_in_the_usual_form(client: FlaskClient) -> None:
    response = client.get("/livez", environ_overrides={ERROR: Overloaded("try again")})

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert response.get_json()["error"] == "try again"


def test_the_time_in_the_queue_is_part_of_the_requests_time(client: FlaskClient, log: list[bytes]) -> None:
    client.post("/predict", data=PNG, environ_overrides={QUEUE_SECONDS: 2.0})

    assert json.loads(log[-1])["duration_ms"] >= 2000


def test_a_prediction_is_logged_with_its_model_and_label(client: FlaskClient, log: list[bytes]) -> None:
    client.post("/models/colour/predict", data=PNG, headers={"X-Request-ID": "mine"})

    (line,) = log
    log_fields = json.loads(line)
    assert log_fields.items() >= {"model": "colour", "version": 1, "images": 1, "label": "middle"}.items()
    assert log_fields.items() >= {"method": "POST", "status": 200, "bytes_in": len(PNG), "request_id": "mine"}.items()


def test_images_are_not_in_the_log(client: FlaskClient, log: list[bytes]) -> None:
    client.post("/predict", json={"image": "aGVsbG8="})

    assert b"aGVsbG8" not in log[0]


def test_a_request_is_noted_while_it_runs(metrics: Metrics, log: list[bytes]) -> None:
    notes: list[tuple[float, bytes]] = []
    during: list[int] = []

    def application(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        during.append(len(notes))
        start_response("200 OK", [])
        return []

    middleware = RequestMiddleware(
        application, metrics, AccessLog(log.append, "json"), lambda *note: notes.append(note)
    )
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/a\n" + "b" * 8000, "HTTP_X_REQUEST_ID": "7f3c"}
    middleware(environ, lambda *_: log.append)

    (began, words), (over, nothing) = notes
    assert during == [1]
    assert began > 0
    assert words == b"7f3c POST '/a\\n" + b"b" * 61 + b"'"
    assert (over, nothing) == (0.0, b"")


def test_a_suspended_request_keeps_its_state_and_has_one_line_in_the_log(metrics: Metrics) -> None:
    states: list[RequestState] = []
    lines: list[bytes] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        states.append(environ[REQUEST_STATE])
        if environ[RESUMED] is None:
            raise Suspended(Deferred("job", lambda: True, is_announced=True))
        start_response("200 OK", [])
        return [b"done"]

    middleware = RequestMiddleware(application, metrics, AccessLog(lines.append, "json"))
    first: WSGIEnvironment = {"REQUEST_METHOD": "POST", "PATH_INFO": "/predict", QUEUE_SECONDS: 0.25, RESUMED: None}

    dropped = middleware(first, lambda *_: lambda _: None)
    deferred = first[DEFERRED]
    again = {"REQUEST_METHOD": "POST", "PATH_INFO": "/predict", QUEUE_SECONDS: 3.0, RESUMED: deferred}
    response = middleware(again, lambda *_: lambda _: None)

    assert list(dropped) == []
    assert deferred.is_announced
    assert list(response) == [b"done"]
    assert states[0] is states[1]
    assert states[0].can_suspend
    assert states[0].queue_seconds == 0.25
    assert [json.loads(line)["request_id"] for line in lines] == [states[0].request_id]


def test_a_server_that_cannot_resume_requests_is_asked_for_no_suspension(metrics: Metrics) -> None:
    states = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        states.append(environ[REQUEST_STATE])
        start_response("200 OK", [])
        return []

    middleware = RequestMiddleware(application, metrics, AccessLog(lambda _: None, "json"))
    middleware({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: lambda _: None)

    assert [state.can_suspend for state in states] == [False]

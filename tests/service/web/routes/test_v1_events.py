"""/v1: requests in CloudEvents, in both forms, are answered by events of that form."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent, from_http
from flask.testing import FlaskClient

from tests.support.bundles.tiny_batches import batch_files, expected_probabilities

PREDICT, CLASSIFY = "/v1/models/mnist:predict", "/v1/models/mnist:classify"
PNG = batch_files(1)[0]
FILE = {"b64": base64.b64encode(PNG).decode()}
INSTANCES, EXAMPLES = {"instances": [FILE]}, {"examples": [{"image": FILE}]}
ATTRIBUTES = {"type": "mine.request", "source": "/mine"}
JSON = {"datacontenttype": "application/json"}
REQUIRED = {"specversion": "1.0", "id": "1", **ATTRIBUTES}


@pytest.mark.parametrize(
    ("encode", "data", "attributes"),
    [
        pytest.param(to_binary, INSTANCES, JSON, id="binary"),
        pytest.param(to_binary, PNG, {"datacontenttype": "image/png"}, id="binary, an image"),
        pytest.param(to_structured, INSTANCES, JSON, id="structured"),
        pytest.param(to_structured, PNG, {"datacontenttype": "image/png"}, id="structured, an image in base64"),
    ],
)
def test_an_event_is_answered_by_an_event_of_its_form(
    client: FlaskClient, encode: Any, data: Any, attributes: dict[str, str]
) -> None:
    headers, body = encode(CloudEvent({**ATTRIBUTES, **attributes}, data))

    response = client.post(PREDICT, data=body, headers=headers)

    assert response.status_code == 200, response.data
    event = from_http(dict(response.headers), response.data)
    assert (event["source"], event["type"]) == ("io.kserve.inference.mnist", "io.kserve.inference.response")
    assert ("ce-id" in response.headers) is (encode is to_binary)
    assert np.allclose(event.data["predictions"], expected_probabilities(1))


def test_an_event_may_ask_for_labels(client: FlaskClient) -> None:
    headers, body = to_structured(CloudEvent({**ATTRIBUTES, **JSON}, EXAMPLES))

    response = client.post(CLASSIFY, data=body, headers=headers)
    image = client.post(CLASSIFY, json={**REQUIRED, "data_base64": FILE["b64"]}).get_json()

    assert from_http(dict(response.headers), response.data).data == image
    assert image["results"][0][0][0] == "left"


@pytest.mark.parametrize("data", [INSTANCES, json.dumps(INSTANCES)], ids=["an object", "a text of JSON"])
def test_a_structured_event_of_another_media_type_is_read_and_answered_as_json(client: FlaskClient, data: Any) -> None:
    response = client.post(PREDICT, json={**REQUIRED, "data": data})

    assert response.content_type == "application/json"
    assert response.get_json().keys() == {"predictions"}


def test_headers_that_are_no_whole_event_are_ignored(client: FlaskClient) -> None:
    response = client.post(PREDICT, json=INSTANCES, headers={"ce-id": "1", "ce-type": "mine"})

    assert response.get_json().keys() == {"predictions"}
    assert "ce-id" not in response.headers


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        pytest.param(REQUIRED, 'the event has no "data"', id="no data"),
        pytest.param({**REQUIRED, "data": [1]}, "must be a JSON object", id="data a list"),
        pytest.param({**REQUIRED, "data": "?"}, "not valid JSON", id="data a text"),
        pytest.param({**REQUIRED, "data": "\ud800"}, "not valid JSON", id="data half a character"),
        pytest.param({**REQUIRED, "data": {}}, "Missing 'inputs' or 'instances' key", id="data empty"),
        pytest.param({**REQUIRED, "data_base64": 5}, "must be a text", id="base64 a number"),
        pytest.param({**REQUIRED, "data_base64": "AAAA"}, "not valid JSON", id="base64 of anything"),
        pytest.param({**REQUIRED, "data": INSTANCES, "specversion": "9"}, '"specversion" must be "1.0"', id="version"),
        pytest.param({**REQUIRED, "data": INSTANCES, "specversion": []}, '"specversion" must be', id="version a list"),
    ],
)
def test_the_error_for_an_event_that_is_no_request_says_what_to_send(
    client: FlaskClient, document: Any, sentence: str
) -> None:
    response = client.post(PREDICT, json=document, content_type="application/cloudevents+json")

    assert response.status_code == 400
    assert sentence in response.get_json()["error"]


def test_events_come_one_at_a_time(client: FlaskClient) -> None:
    response = client.post(PREDICT, json=[REQUIRED], content_type="application/cloudevents-batch+json")

    assert (response.status_code, response.get_json()["error"][:31]) == (400, "this takes one event at a time:")

"""CloudEvents 1.0 around requests and responses, as KServe has them.

An event in binary form has its attributes in headers and its data as the body; a structured one is a JSON object with
`data` or `data_base64`. Its data are a request of this protocol, or an image file.
"""

import base64
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple

import orjson

from preprocessing.decode import is_image
from service.codecs.base64_images import read_base64
from service.codecs.json_bodies import parse_json
from service.errors import InvalidRequest

REQUIRED = ("specversion", "id", "source", "type")
VERSIONS = ("1.0", "0.3")  # their attributes that are read here are the same
STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"


class EventForm(Enum):
    """How an event is sent over HTTP."""

    BINARY = "binary"
    STRUCTURED = "structured"


class Reply(NamedTuple):
    """A response's body and headers."""

    content: bytes
    headers: dict[str, str]


def event_form(media_type: str, attributes: Mapping[str, str]) -> EventForm | None:
    """The form of the event that a request is, None where it is none; raises InvalidRequest.

    `attributes` are those in headers, without the prefix `ce-`.
    """
    if media_type == BATCH:
        raise InvalidRequest(f"this takes one event at a time: send {STRUCTURED}, with several images in its data")
    if all(name in attributes for name in REQUIRED):
        _check_version(attributes["specversion"])
        return EventForm.BINARY
    return EventForm.STRUCTURED if media_type == STRUCTURED else None


def is_event(document: Mapping[str, Any]) -> bool:
    """Whether a JSON object is a structured event, whatever its media type."""
    return all(name in document for name in REQUIRED)


def read_event(document: Mapping[str, Any], numbers: int) -> Any:
    """The request in a structured event; raises InvalidRequest, InvalidImage or TooLarge."""
    _check_version(document["specversion"])
    if document.get("data_base64") is not None:
        return parse_data(read_base64(document["data_base64"], 'the "data_base64" of the event').content, numbers)
    data = document.get("data")
    if data is None:
        raise InvalidRequest('the event has no "data": send the request as its data, or an image file as "data_base64"')
    return parse_data(data.encode(errors="replace"), numbers) if isinstance(data, str) else data


def parse_data(content: bytes, numbers: int) -> Any:
    """The request that an event's data are; an image file is a request for its one image."""
    if not is_image(content):
        return parse_json(content, numbers)
    file = {"b64": base64.b64encode(content).decode()}
    return {"instances": [file], "examples": [{"image_bytes": file}]}


def make_reply(form: EventForm | None, model: str, content: bytes) -> Reply:
    """The response to a request: the JSON `content`, in an event of its own where the request was one."""
    if form is None:
        return Reply(content, {})
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": f"io.kserve.inference.{model}",
        "type": "io.kserve.inference.response",
        "time": datetime.now(UTC).isoformat(),
    }
    if form is EventForm.BINARY:
        return Reply(content, {f"ce-{name}": value for name, value in event.items()})
    document = {**event, "datacontenttype": "application/json", "data": orjson.Fragment(content)}
    return Reply(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE), {"Content-Type": STRUCTURED})


def _check_version(version: Any) -> None:
    if version not in VERSIONS:
        raise InvalidRequest(f'"specversion" must be "1.0", the version of CloudEvents, not {version!r:.80}')

"""Request bodies of TensorFlow Serving as values: members and signature are checked, the images not yet read."""

from dataclasses import dataclass
from typing import Any

from service.codecs.json_bodies import parse_json
from service.codecs.limits import MAX_JSON_NUMBERS
from service.errors import InvalidRequest
from service.protocols.tfserving.cloud_events import EventForm, is_event, parse_data, read_event

SIGNATURE = "serving_default"
ROWS, COLUMNS = "instances", "inputs"

FILE = '{"b64": "<an image file in base64>"}'
PREDICT_FORM = f'{{"instances": [{FILE}, …]}}, or nested lists of pixels as instances'
CLASSIFY_FORM = f'{{"examples": [{{"image": {FILE}}}, …]}}'

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class PredictRequest:
    """The value of "instances", a list with an item for each image, or of "inputs", one tensor for all of them."""

    by_row: bool
    value: Any


@dataclass(frozen=True)
class ClassifyRequest:
    """Features of each image, and those (`context`) that hold for every example: an image for those without one."""

    examples: Any
    context: JsonObject


def parse_predict(content: bytes, numbers: int = MAX_JSON_NUMBERS, form: EventForm | None = None) -> PredictRequest:
    """Read the body of :predict, which may be an event; `numbers` are the most that the model takes.

    Raises InvalidRequest, InvalidImage or TooLarge.
    """
    document = _parse(content, PREDICT_FORM, numbers, form)
    members = [name for name in (ROWS, COLUMNS) if name in document]
    if not members:
        raise InvalidRequest(f"Missing 'inputs' or 'instances' key: send {PREDICT_FORM}")
    if len(members) > 1:
        raise InvalidRequest("expecting only one of 'inputs' and 'instances': leave out one of them")
    return PredictRequest(members[0] == ROWS, document[members[0]])


def parse_classify(content: bytes, numbers: int = MAX_JSON_NUMBERS, form: EventForm | None = None) -> ClassifyRequest:
    """Read the body of :classify in the same way; raises the same."""
    document = _parse(content, CLASSIFY_FORM, numbers, form)
    if "examples" not in document:
        raise InvalidRequest(f"Missing 'examples' key: send {CLASSIFY_FORM}")
    context = document.get("context", {})
    if not isinstance(context, dict):
        raise InvalidRequest('"context" must be an object of features that every example has: leave it out otherwise')
    return ClassifyRequest(document["examples"], context)


def check_list(value: Any, name: str) -> list[Any]:
    """The items of a member, an image each; raises InvalidRequest."""
    if not isinstance(value, list):
        raise InvalidRequest(f'"{name}" must be a list with an item for each image: nested lists of pixels, or {FILE}')
    if not value:
        raise InvalidRequest(f'No values in "{name}": send at least one image')
    return value


def _parse(content: bytes, wanted: str, numbers: int, form: EventForm | None) -> JsonObject:
    if not content or content.isspace():
        raise InvalidRequest(f"JSON Parse error: The document is empty: send {wanted}")
    document = parse_data(content, numbers) if form is EventForm.BINARY else parse_json(content, numbers)
    if isinstance(document, dict) and is_event(document):
        document = read_event(document, numbers)
    if not isinstance(document, dict):
        raise InvalidRequest(f"the body must be a JSON object: send {wanted}")
    _check_signature(document.get("signature_name", ""))
    return document


def _check_signature(name: Any) -> None:
    if not isinstance(name, str):
        raise InvalidRequest(f"'signature_name' key must be a string value: leave it out, or send \"{SIGNATURE}\"")
    if name not in ("", SIGNATURE):
        sentence = f'Serving signature name: "{name:.60}" not found in signature def'
        raise InvalidRequest(f'{sentence}: there is "{SIGNATURE}", which is also what no name means')

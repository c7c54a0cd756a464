"""The JSON bodies of TensorFlow Serving's operations, member by member."""

import json
from typing import Any

import pytest

from service.errors import InvalidRequest
from service.protocols.tfserving.request import (
    ClassifyRequest,
    PredictRequest,
    check_list,
    parse_classify,
    parse_predict,
)


def as_json(**members: Any) -> bytes:
    return json.dumps(members).encode()


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"instances": [1]}, PredictRequest(by_row=True, value=[1])),
        ({"inputs": {"image": [1]}}, PredictRequest(by_row=False, value={"image": [1]})),
        ({"instances": None, "else": 1}, PredictRequest(by_row=True, value=None)),
        ({"instances": [1], "signature_name": ""}, PredictRequest(by_row=True, value=[1])),
        ({"instances": [1], "signature_name": "serving_default"}, PredictRequest(by_row=True, value=[1])),
    ],
)
def test_a_predict_request_is_by_row_or_by_column(members: dict[str, Any], expected: PredictRequest) -> None:
    assert parse_predict(as_json(**members)) == expected


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", r"^JSON Parse error: The document is empty: send \{", id="empty"),
        pytest.param(b" \r\n\t", "^JSON Parse error: The document is empty", id="only spaces"),
        pytest.param(b"{", "not valid JSON", id="cut short"),
        pytest.param(b"[1]", "must be a JSON object: send", id="a list"),
        pytest.param(b"null", "must be a JSON object: send", id="null"),
        pytest.param(b"{}", "^Missing 'inputs' or 'instances' key: send", id="neither"),
        pytest.param(as_json(instances=[1], inputs=[1]), "only one of 'inputs' and 'instances'", id="both"),
        pytest.param(
            as_json(instances=[1], signature_name="x"),
            '^Serving signature name: "x" not found in signature def: there is "serving_default"',
            id="another signature",
        ),
        pytest.param(as_json(instances=[1], signature_name=None), "must be a string value", id="signature null"),
        pytest.param(as_json(instances=[1], signature_name=["x"]), "must be a string value", id="signature a list"),
    ],
)
def test_the_error_for_a_wrong_predict_request_gives_the_form(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        parse_predict(content)


def test_a_classify_request_has_examples_and_may_have_a_context() -> None:
    assert parse_classify(as_json(examples=[{}])) == ClassifyRequest([{}], {})
    assert parse_classify(as_json(examples=[{}], context={"image": 1})) == ClassifyRequest([{}], {"image": 1})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "^JSON Parse error: The document is empty", id="empty"),
        pytest.param(as_json(instances=[1]), "^Missing 'examples' key: send", id="no examples"),
        pytest.param(as_json(examples=[{}], context=[1]), '^"context" must be an object', id="context a list"),
        pytest.param(as_json(examples=[{}], context=None), '^"context" must be an object', id="context null"),
        pytest.param(as_json(examples=[{}], signature_name="x"), '^Serving signature name: "x"', id="signature"),
    ],
)
def test_the_error_for_a_wrong_classify_request_gives_the_form(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        parse_classify(content)


def test_a_long_name_is_not_repeated_whole() -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse_predict(as_json(instances=[1], signature_name="x" * 10_000))

    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([], '^No values in "instances"'),
        ({}, '^"instances" must be a list'),
        ("abc", "must be a list"),
        (None, "must be"),
    ],
)
def test_a_list_must_be_one_and_hold_something(value: object, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        check_list(value, "instances")

"""An inference request's JSON and the bytes behind it, and every way in which they can disagree."""

import json
from typing import Any

import pytest

from service.errors import InvalidRequest
from service.protocols.openinference.request import Output, parse_request

IMAGE = {"name": "image", "datatype": "UINT8", "shape": [1, 2], "parameters": {"binary_data_size": 2}}
JSON_IMAGE = {"name": "image", "datatype": "UINT8", "shape": [1, 2], "data": [1, 2]}


def parse(document: Any, binary: bytes = b"") -> Any:
    header = json.dumps(document).encode()
    return parse_request(header + binary, len(header))


def changed(tensor: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A request with one input that differs; None removes a member."""
    return {"inputs": [{name: value for name, value in {**tensor, **members}.items() if value is not None}]}


def test_json_tensors_keep_their_data() -> None:
    (tensor,) = parse({"inputs": [JSON_IMAGE]}).inputs

    assert (tensor.name, tensor.datatype, tensor.shape, tensor.data) == ("image", "UINT8", (1, 2), [1, 2])
    assert tensor.binary is None


def test_binary_tensors_are_cut_from_behind_the_json_in_their_order() -> None:
    tensors = [{**IMAGE, "name": "a"}, JSON_IMAGE, {**IMAGE, "name": "b", "parameters": {"binary_data_size": 3}}]

    request = parse({"inputs": tensors}, b"12345")

    assert [None if each.binary is None else bytes(each.binary) for each in request.inputs] == [b"12", None, b"345"]


def test_an_id_is_kept_and_one_that_is_not_there_is_not_invented() -> None:
    assert parse({"id": "42", "inputs": []}).id == "42"
    assert parse({"inputs": []}).id is None


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param({}, Output("p", False, None), id="JSON unless asked"),
        pytest.param({"parameters": {"binary_data_output": True}}, Output("p", True, None), id="binary by default"),
        pytest.param(
            {
                "parameters": {"binary_data_output": True},
                "outputs": [{"name": "p", "parameters": {"binary_data": False}}],
            },
            Output("p", False, None),
            id="the output's own word wins",
        ),
        pytest.param(
            {"outputs": [{"name": "p", "parameters": {"classification": 3, "binary_data": True}}]},
            Output("p", True, 3),
            id="classification",
        ),
    ],
)
def test_outputs_come_as_the_client_wants_them(document: dict[str, Any], expected: Output) -> None:
    request = parse({"inputs": [], "outputs": [{"name": "p"}], **document})

    assert request.outputs == (expected,)


def test_timeout_is_in_microseconds_and_none_where_it_is_0() -> None:
    assert parse({"inputs": [], "parameters": {"timeout": 1500}}).timeout == 0.0015
    assert parse({"inputs": [], "parameters": {"timeout": 0}}).timeout is None


def test_a_timeout_that_no_request_could_keep_is_none() -> None:
    assert parse({"inputs": [], "parameters": {"timeout": 30}}).timeout is None
    assert parse({"inputs": [], "parameters": {"timeout": 1000}}).timeout == 0.001


def test_what_is_null_is_not_there() -> None:
    tensor = {**IMAGE, "data": None}

    request = parse({"id": None, "parameters": None, "outputs": None, "inputs": [tensor]}, b"12")

    assert (request.id, request.outputs, request.timeout) == (None, (), None)
    assert bytes(request.inputs[0].binary) == b"12"


def test_unknown_parameters_are_ignored() -> None:
    parameters = {
        "sequence_id": 0, "priority": 1, "my_param": "x", "flag": True, "share": 0.5,
        "headers": None, "content": {"type": "np"}, "list": [1, None],
    }  # fmt: skip
    tensor, output = {**JSON_IMAGE, "parameters": parameters}, {"name": "p", "parameters": parameters}

    request = parse({"inputs": [tensor], "outputs": [output], "parameters": parameters})

    assert request.inputs[0].data == [1, 2]
    assert request.outputs == (Output("p", False, None),)


def test_known_parameters_that_are_null_are_as_good_as_absent() -> None:
    nulls = dict.fromkeys(
        ("binary_data_size", "binary_data", "binary_data_output", "classification", "timeout", "shared_memory_region")
    )
    output = {"name": "p", "parameters": nulls}

    request = parse({"inputs": [{**JSON_IMAGE, "parameters": nulls}], "outputs": [output], "parameters": nulls})

    assert (request.outputs, request.timeout) == ((Output("p", False, None),), None)


def test_the_one_input_of_bytes_without_a_length_is_the_rest_of_the_body() -> None:
    (tensor,) = parse({"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1]}]}, b"rest").inputs

    assert (bytes(tensor.binary), tensor.is_rest) == (b"rest", True)


@pytest.mark.parametrize(
    ("tensors", "binary"),
    [
        pytest.param([{"name": "image", "datatype": "BYTES", "shape": [1]}] * 2, b"rest", id="two inputs"),
        pytest.param([{"name": "image", "datatype": "UINT8", "shape": [1, 4]}], b"rest", id="pixels"),
        pytest.param([{"name": "image", "datatype": "BYTES", "shape": [1]}], b"", id="nothing left"),
    ],
)
def test_any_other_input_has_to_say_where_its_elements_are(tensors: list[dict[str, Any]], binary: bytes) -> None:
    with pytest.raises(InvalidRequest, match='must have either "data" or the parameter binary_data_size'):
        parse({"inputs": tensors}, binary)


@pytest.mark.parametrize(
    ("document", "binary", "sentence"),
    [
        pytest.param([], b"", "the request must be a JSON object", id="a list"),
        pytest.param({}, b"", '"inputs" must be an array', id="no inputs"),
        pytest.param({"inputs": {}}, b"", '"inputs" must be an array', id="inputs as an object"),
        pytest.param({"inputs": [1]}, b"", "an input must be a JSON object", id="a number as input"),
        pytest.param({"inputs": [], "id": "x" * 4097}, b"", '"id" has 4097 characters: send at most', id="a long id"),
        pytest.param({"inputs": [], "id": 7}, b"", '"id" must be a text', id="a number as id"),
        pytest.param({"inputs": [], "outputs": {}}, b"", '"outputs" must be an array', id="outputs as an object"),
        pytest.param({"inputs": [], "outputs": ["p"]}, b"", "an output must be a JSON object", id="a text as output"),
        pytest.param({"inputs": [], "outputs": [{}]}, b"", '"name" must be a text, and is missing', id="no name"),
        pytest.param({"inputs": [], "parameters": []}, b"", "parameters of the request must be", id="parameters list"),
        pytest.param({"inputs": [], "parameters": {"timeout": []}}, b"", "whole number of microsec", id="timeout list"),
        pytest.param({"inputs": [], "parameters": {"triton_x": 1}}, b"", "is reserved", id="reserved name"),
        pytest.param({"inputs": [], "parameters": {"timeout": -1}}, b"", "whole number of microsec", id="timeout"),
        pytest.param({"inputs": [], "parameters": {"timeout": 1.5}}, b"", "whole number of microsec", id="half a µs"),
        pytest.param(
            {"inputs": [], "parameters": {"binary_data_output": 1}}, b"", "must be true or false", id="number as flag"
        ),
        pytest.param(changed(JSON_IMAGE, name=None), b"", '"name" must be a text, and is missing', id="nameless"),
        pytest.param(changed(JSON_IMAGE, name="x" * 257), b"", "has 257 characters", id="long name"),
        pytest.param(changed(JSON_IMAGE, name=3), b"", '"name" must be a text', id="a number as name"),
        pytest.param(changed(JSON_IMAGE, datatype=None), b"", '"datatype" must be a text', id="no datatype"),
        pytest.param(changed(JSON_IMAGE, shape=None), b"", '"shape" must be an array', id="no shape"),
        pytest.param(changed(JSON_IMAGE, shape=3), b"", '"shape" must be an array', id="a number as shape"),
        pytest.param(changed(JSON_IMAGE, shape=[1, -2]), b"", "not negative", id="negative length"),
        pytest.param(changed(JSON_IMAGE, shape=[1, "2"]), b"", "whole numbers", id="text in the shape"),
        pytest.param(changed(JSON_IMAGE, shape=[1, 2.0]), b"", "whole numbers", id="fraction in the shape"),
        pytest.param(changed(JSON_IMAGE, shape=[True, 2]), b"", "whole numbers", id="boolean in the shape"),
        pytest.param(changed(JSON_IMAGE, shape=[1] * 9), b"", "has 9 axes", id="too many axes"),
        pytest.param(changed(JSON_IMAGE, data=None), b"", "must have either", id="no data at all"),
        pytest.param(changed(IMAGE, data=[1, 2]), b"12", "must have either", id="data twice"),
        pytest.param(changed(IMAGE), b"1", "claims binary_data_size 2, but 1 bytes are there", id="too few bytes"),
        pytest.param(changed(IMAGE), b"123", "1 bytes follow", id="too many bytes"),
        pytest.param(changed(JSON_IMAGE), b"1", "1 bytes follow", id="bytes without an owner"),
        pytest.param(
            changed(IMAGE, parameters={"binary_data_size": -2}), b"12", "claims binary_data_size -2", id="negative size"
        ),
        pytest.param(
            changed(IMAGE, parameters={"binary_data_size": 1 << 63}), b"12", "claims binary_data_size", id="huge size"
        ),
        pytest.param(
            changed(IMAGE, parameters={"binary_data_size": "2"}), b"12", "claims binary_data_size '2'", id="size text"
        ),
        pytest.param(
            changed(IMAGE, parameters={"binary_data_size": True}), b"1", "binary_data_size True", id="size boolean"
        ),
        pytest.param(
            changed(IMAGE, parameters={"shared_memory_region": "r"}), b"", "no shared memory", id="shared memory"
        ),
        *[
            pytest.param(
                {"inputs": [], "outputs": [{"name": "p", "parameters": {"classification": k}}]},
                b"",
                "classification must be a whole number",
                id=f"classification {k!r}",
            )
            for k in (0, -1, 1.5, "3", True)
        ],
    ],
)
def test_a_request_that_contradicts_itself_is_an_error(document: Any, binary: bytes, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        parse(document, binary)


def test_hundreds_of_parameters_are_an_error() -> None:
    with pytest.raises(InvalidRequest, match="parameters of the request are 257: at most 256 are read"):
        parse({"inputs": [], "parameters": {str(number): 1 for number in range(257)}}, b"")


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"null", b"NaN", b'{"inputs": NaN}', b"[" * 10_000 + b"]" * 10_000, b"\xff\xfe", b'{"inputs":' * 5000],
    ids=["empty", "cut short", "null", "NaN", "NaN inside", "10,000 deep", "no UTF-8", "deep and open"],
)
def test_text_that_is_no_request_is_an_error(text: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_request(text, len(text))

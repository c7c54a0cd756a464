"""What clients are told of errors of the system and of libraries."""

import pytest

from service.errors import public_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[Errno 13] Permission denied: '/srv/models/mnist/1/model.onnx'", "Permission denied: 'model.onnx'"),
        ("/onnxruntime_src/onnxruntime/core/graph/graph.cc:123 the node is bad", "the node is bad"),
        ("two\nlines", "two lines"),
        ("golden/golden.json: images[0]: is missing", "golden/golden.json: images[0]: is missing"),
        ("1 / 2 and and/or 28×28/s", "1 / 2 and and/or 28×28/s"),
        ("/opt/m is not a bundle", "m is not a bundle"),
        ("Invalid default '%.*s' for %s of type %d", "Invalid default … for … of type …"),
        ("expected %.200R, got %-5lld.", "expected …, got …."),
        ("100% done, a%20b, 50%, %2F and 7 % d", "100% done, a%20b, 50%, %2F and 7 % d"),
        ("x" * 9999, "x" * 500 + "…"),
    ],
)
def test_no_folder_and_no_source_code_is_shown(text: str, expected: str) -> None:
    assert public_text(OSError(text)).endswith(expected)
    assert "/srv" not in public_text(OSError(text))


def test_a_file_in_a_folder_with_spaces_is_named_alone() -> None:
    error = PermissionError(13, "Permission denied", "/my models/mnist/model.onnx")

    assert public_text(error) == "[Errno 13] Permission denied: 'model.onnx'"

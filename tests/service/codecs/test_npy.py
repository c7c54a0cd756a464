""".npy files from clients: what numpy.save writes is read, and every header is checked."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from service.codecs.npy import read_npy
from service.errors import InvalidArray
from tests.support.images.drawn import as_npy

VALUES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def npy(header: str, content: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """A file with any header."""
    length = len(header).to_bytes(2 if version[0] == 1 else 4, "little")
    return npy_format.MAGIC_PREFIX + version + length + header.encode("latin-1") + content


def described(shape: str, descr: str = "'|u1'") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n"


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(VALUES, id="uint8"),
        pytest.param(VALUES.astype(">f4"), id="big-endian"),
        pytest.param(np.asfortranarray(VALUES), id="fortran order"),
        pytest.param(VALUES[:0], id="empty"),
        pytest.param(np.uint8(7), id="a number"),
    ],
)
def test_what_numpy_saves_is_read(values: NDArray[Any]) -> None:
    read = read_npy(as_npy(np.asarray(values)))

    assert read.dtype == values.dtype
    assert np.array_equal(read, values)


def test_what_python_2_saved_is_read_too() -> None:
    assert read_npy(npy(described("(2L, 4L)"), bytes(8))).shape == (2, 4)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format_is_read(version: tuple[int, int]) -> None:
    stream = io.BytesIO()
    npy_format.write_array(stream, VALUES, version)

    assert np.array_equal(read_npy(stream.getvalue()), VALUES)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x93NUMPY", id="only the magic"),
        pytest.param(b"PK\x03\x04", id="a zip file"),
        pytest.param(npy("", version=b"\x09\x00"), id="a version to come"),
        pytest.param(as_npy(VALUES)[:40], id="half a header"),
        pytest.param(as_npy(VALUES)[:-1], id="a byte too few"),
        pytest.param(as_npy(VALUES) + b"x", id="a byte too many"),
        pytest.param(npy("a" * 20_000), id="a long header"),
        pytest.param(npy(described("(1000000, 1000000, 1000000)")), id="a huge shape"),
        pytest.param(npy(described("(-1, -64)"), bytes(64)), id="negative lengths"),
        pytest.param(npy(described(f"(0, {10**30})")), id="nothing, many times"),
        pytest.param(npy(described("(1" + "0" * 5000 + ",)")), id="a length of 5,000 digits"),
        pytest.param(npy(described(f"({'9' * 4000}, {'9' * 4000})")), id="two lengths of 4,000 digits"),
        pytest.param(npy(described(f"({'1,' * 70})"), b"x"), id="70 axes"),
        pytest.param(npy(described("(1, 8)", "'|V0'")), id="elements without size"),
        pytest.param(npy(described("'ab'"), b"x"), id="a shape of letters"),
        pytest.param(npy(described("(1.5,)"), b"x"), id="a shape of fractions"),
        pytest.param(npy(described("(True, 28, 28)"), bytes(784)), id="a length that is a truth value"),
        pytest.param(npy(described("(28)"), bytes(28)), id="a number in brackets"),
        pytest.param(npy(described("(1, 8)", "'<M8[ns]'"), bytes(64)), id="dates"),
        pytest.param(npy(described("(2,)", "[('a', '|u1'), ('b', '|u1')]"), bytes(4)), id="records"),
        pytest.param(npy(described("(2,)", "('|u1', (2,))"), bytes(4)), id="a subarray"),
        pytest.param(npy("{'descr': '|u1', 'fortran_order': 1, 'shape': (1,)}", b"x"), id="an order that is a number"),
        pytest.param(npy("{'descr': '|u1', 'fortran_order': (1,), 'shape': (1,)}", b"x"), id="an order of a shape"),
        pytest.param(npy("{'descr': '|u1', 'descr': '|u1', 'shape': (1,)}", b"x"), id="a member twice"),
        pytest.param(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'x': (1,)}", b"x"), id="one more"),
        pytest.param(npy(described(f"({'1,' * 33})"), b"x"), id="33 axes"),
        pytest.param(npy(described("(1,)", "()"), b"x"), id="a dtype of nothing"),
        pytest.param(npy(described("(1,)", "[()]"), b"x"), id="a field of nothing"),
        pytest.param(npy(described("(1,)", "('|u1', -1)"), b"x"), id="a subarray below nothing"),
        pytest.param(npy(described("(1,)", "'O'"), b"x" * 8), id="objects"),
        pytest.param(npy(described("(1,)", "[('a', 'O')]"), b"x" * 8), id="objects in a field"),
        pytest.param(npy("{'descr': ("), id="an open bracket"),
        pytest.param(npy("{" * 9000), id="brackets without end"),
        pytest.param(npy("-" * 9000 + "1"), id="signs without end"),
        pytest.param(npy("[" * 90 + "]" * 90), id="nested lists"),
        pytest.param(npy("\x00"), id="a null byte"),
        pytest.param(npy("  {}\n 1"), id="indentation"),
        pytest.param(npy("{1: 2, 'shape': 3, 'descr': 4}"), id="other members"),
        pytest.param(npy("__import__('os').getpid()"), id="code"),
    ],
)
def test_what_is_no_array_of_numbers_is_rejected(content: bytes) -> None:
    with pytest.raises(InvalidArray):
        read_npy(content)


def test_a_pickle_is_never_opened() -> None:
    content = as_npy(np.array([{"a": 1}], object))

    with pytest.raises(InvalidArray, match="holds Python objects"):
        read_npy(content)


def test_a_file_that_was_cut_says_how_much_came() -> None:
    with pytest.raises(InvalidArray, match="says 24 bytes of pixels, but 10 came"):
        read_npy(as_npy(VALUES)[:-14])

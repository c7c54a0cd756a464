"""Where there is no memory for a body, it is said so: the body is not called damaged, and the process lives on."""

import subprocess
import sys

import pytest

PROGRAM = """
import gzip, resource
from service.codecs.content_encoding import inflate
from service.codecs.base64_images import read_base64
from service.codecs.json_bodies import parse_json, read_nested
from service.codecs.npy import read_npy

def limit(more):
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, resource.RLIM_INFINITY))

{prepare}
limit({room} << 20)
try:
    {call}
    print("enough")
except MemoryError:
    print("MemoryError")
"""
NUMBERS = "body = b'[' + b','.join([b'300'] * 900_000) + b']'"
LISTS = "body = b'[' + b','.join([b'[1]'] * 900_000) + b']'"
OBJECTS = """body = b'[' + b','.join([b'{"a":1}'] * 700_000) + b']'"""


@pytest.mark.parametrize("room", [1, 20, 60])
@pytest.mark.parametrize(
    ("prepare", "call"),
    [
        pytest.param(NUMBERS, "parse_json(body)", id="numbers"),
        pytest.param(LISTS, "parse_json(body)", id="lists"),
        pytest.param(OBJECTS, "parse_json(body)", id="objects"),
        pytest.param(NUMBERS, "read_nested(parse_json(body), 'x')", id="arrays"),
        pytest.param("body = 'A' * (96 << 20)", "read_base64(body, 'x')", id="base64"),
        pytest.param("body = gzip.compress(bytes(96 << 20))", "inflate(body, 'gzip', 1 << 30)", id="gzip"),
    ],
)
def test_no_memory_is_a_memory_error(prepare: str, call: str, room: int) -> None:
    program = PROGRAM.format(prepare=prepare, call=call, room=room)

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)

    assert (result.returncode, result.stdout) == (0, "MemoryError\n"), result.stderr

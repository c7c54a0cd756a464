"""Mutations of a request's body and of its compression."""

from dataclasses import replace
from functools import cache

from tests.support.fuzz.corpus import COMPRESS, KINDS, Request
from tests.support.fuzz.random_choice import Random, pick
from tests.support.images.unusual_files import mutated, png_bomb, tiff_with_huge_tile


def damage_body(request: Request, random: Random) -> Request:
    """Change, cut off, leave out or double bytes in one of the body's two parts."""
    if request.tail and (not request.json or random.random() < 0.5):
        return replace(request, tail=mutated(request.tail, random))
    return replace(request, json=mutated(request.json, random))


def replace_body(request: Request, random: Random) -> Request:
    """Replace the body, or take more or less of it."""
    if random.random() < 0.5:
        return replace(request, json=b"", tail=pick(random, hostile_bodies()))
    part = pick(random, (request.json, request.tail, request.body))
    return replace(request, tail=part * int(random.integers(4)))


@cache
def hostile_bodies() -> tuple[bytes, ...]:
    """Bodies that routes reject, some of them only after decoding."""
    return (
        *(b"", b" \n\t ", b"{}", b"[]", b"null", b"0", b'""', b"NaN", b"\xef\xbb\xbf{}", b"\xff" * 100, bytes(64)),
        *(b"[" * 10_000, b'{"a":' * 10_000, b"[" * 1000 + b"]" * 1000),
        b'{"instances":' + b"[" * 90 + b"1" + b"]" * 90 + b"}",
        b'{"instances":[' + b"[]," * 5000 + b"[]]}",
        b'{"ready":' + b"[" * 1020 + b"]" * 1020 + b"}",
        *(b"--b--\r\n", b"--b\r\n" * 100, b"--", b"image=", b"image=%2B+%", b"top_k=1&" * 2000, b"a=b", b"digit.png"),
        *(b"data:", b"data:;base64,", b"iVBORw0KGgo=", b"/9j/" * 20_000, b"Qk" * 50, b"b'iVBORw0KGgo'", b"%2F" * 99),
        *(b"\xff\xfe{\0", b"{\0\0\0", b"\x89PNG\x1a", b"\xef\xbf\xbdPNG", b"\xff\xd8\xff" * 500),
        *(b"\x1f\x8b", b"PK\3\4"),
        *(png_bomb(), tiff_with_huge_tile(), *KINDS.values()),
    )


def compress(request: Request, random: Random) -> Request:
    """Compress the body; perhaps not as its header says, not wholly, or without an end."""
    coding = pick(random, list(COMPRESS))
    packed = request.compressed(coding)
    body = pick(
        random,
        (
            packed.tail,
            packed.tail,
            packed.tail[: len(packed.tail) // 2],
            packed.tail[:-4],
            packed.tail * 2,
            packed.tail + b"more",
            mutated(packed.tail, random),
            COMPRESS[coding](packed.tail),
            COMPRESS["gzip"](packed.without_json().tail),
            bomb(coding),
            COMPRESS[coding](b"") * 2000,
            request.body,
        ),
    )
    return replace(packed, tail=body)


@cache
def bomb(coding: str) -> bytes:
    """A few kilobytes that decompress to 4 MiB."""
    return COMPRESS[coding](bytes(4 << 20))

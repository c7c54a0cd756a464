"""Mutations of a request's framing: a wrong or ambiguous end, and damaged heads."""

from collections.abc import Callable
from dataclasses import replace

from tests.support.fuzz.corpus import Request, chunks
from tests.support.fuzz.random_choice import Random, pick
from tests.support.images.unusual_files import mutated

LENGTHS = ("-1", "+5", "0", "1", " ", "", "abc", "0x10", "1e3", "1_0", "5,5", "9" * 30, "18446744073709551617", "\xb2")
CODINGS = (
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"transfer-encoding:\tchunked",
)


def misstate_length(request: Request, random: Random) -> bytes:
    """An invalid Content-Length, or one that is too long or too short."""
    size = len(request.body)
    length = pick(random, (*LENGTHS, str(size + 1), str(max(0, size - 1)), str(size * 2), f"0{size}"))
    return replace(request, chunked=False).head(length) + request.body


def misstate_coding(request: Request, random: Random) -> bytes:
    """A Transfer-Encoding beside or instead of a length, and missing or broken chunks."""
    head = request.head(str(len(request.body))).replace(b"\r\n", b"\r\n" + pick(random, CODINGS) + b"\r\n", 1)
    whole = chunks(request.body)
    return head + pick(random, (request.body, whole, whole[:-5], whole[:-2], mutated(whole, random), b"zz\r\n"))


def damage_head(request: Request, random: Random) -> bytes:
    """Change bytes of the request line or of the headers."""
    head = request.head(str(len(request.body)))
    return mutated(head, random) + request.body


def cut(request: Request, random: Random) -> bytes:
    """End before all of the request is sent."""
    data = request.to_bytes()
    return data[: int(random.integers(len(data)))]


def send_more(request: Request, random: Random) -> bytes:
    """Send more after the request: another request, or other bytes."""
    data = request.to_bytes()
    return data + pick(
        random, (data, data * 2, b"\r\n" * 3 + data, b"x", b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n", data[:20])
    )


def rewrite_head(request: Request, random: Random) -> bytes:
    """Other versions of the protocol, and other line ends."""
    head, _, body = request.to_bytes().partition(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    heads = (
        head.replace(b"HTTP/1.1", b"HTTP/1.0"),
        head.replace(b"HTTP/1.1", b"HTTP/2.0"),
        head.replace(b"HTTP/1.1", b"HTTP/1.11"),
        head.replace(b"HTTP/1.1", b"http/1.1"),
        head.replace(b" HTTP/1.1", b""),
        head.replace(b"\r\n", b"\n"),
        head.replace(b"\r\n", b"\r"),
        line.replace(b" ", b"  ") + b"\r\n" + fields,
        line + b"\r\n\x00" + fields,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + head,
        b"\x16\x03\x01\x02\x00\x01" + head,
    )
    return pick(random, heads) + b"\r\n\r\n" + body


FRAMINGS: tuple[Callable[[Request, Random], bytes], ...] = (
    *(misstate_length, misstate_length, misstate_coding, damage_head, damage_head),
    *(cut, send_more, rewrite_head),
)

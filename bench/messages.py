"""HTTP/1.1 as the benchmark's own clients write and read it (RFC 9112): as little as the service can do with."""

import json
import re
from dataclasses import dataclass

from bench.target import Target

END = b"\r\n\r\n"  # of a head
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class Unanswered(Exception):
    """A request got no answer, or another than 200: the text is its status and the sentence of its error."""


@dataclass(frozen=True)
class Request:
    """A POST; `headers` are names and values beside those that every request has."""

    path: str
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def write(self, target: Target) -> bytes:
        """All bytes of the request, head and body."""
        every = {
            "Host": target.url.removeprefix("http://"),
            "Content-Type": self.content_type,
            "Content-Length": str(len(self.body)),
            **dict(self.headers),
        }
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in every.items())]
        return "\r\n".join(lines).encode() + END + self.body


def read_head(head: bytes) -> tuple[int, int]:
    """Status, and the body's length in bytes, of a head with its END; raises ConnectionError where it has none."""
    length = LENGTH.search(head)
    if length is None:
        raise ConnectionError("an answer without Content-Length")
    return int(head[9:12]), int(length[1])


def check_answer(status: int, body: bytes) -> bytes:
    """The body of an answer that is 200; raises Unanswered for any other."""
    if status != 200:
        raise Unanswered(f"{status}: {_sentence(body)}")
    return body


def _sentence(body: bytes) -> str:
    """What the service's error says, or the answer's beginning where it is not such an error."""
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return repr(body[:300])

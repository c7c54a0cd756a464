"""A client of a running service: images in over one connection that stays open, predictions out."""

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from training.errors import NotServed, ServiceError

_TIMEOUT = 30.0  # seconds; a service that takes longer for one small image is not in order
_UNREACHABLE = (OSError, http.client.HTTPException)

Post = Callable[[bytes, str], "Answer"]


@dataclass(frozen=True)
class Answer:
    """What the service says of one image: the label's index and one probability a class that it named."""

    index: int
    probabilities: dict[int, float]


class Client:
    """Posts images to one version of one model. A context manager; not for use by several threads at a time."""

    def __init__(self, url: str, model: str, version: int, top_k: int) -> None:
        self._url = _parse(url)
        self._path = f"{self._url.path.rstrip('/')}/models/{model}/versions/{version}/predict?top_k={top_k}"
        self._connection = _connect(self._url)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def predict(self, content: bytes, content_type: str) -> Answer:
        """Post one encoded image; raises ServiceError, which says what the service answered."""
        try:
            status, body = self._post(content, content_type)
        except _UNREACHABLE:
            self._connection.close()  # servers may end an idle connection at any time: once is no failure
            status, body = self._retry(content, content_type)
        if status != http.HTTPStatus.OK:
            kind = NotServed if status == http.HTTPStatus.NOT_FOUND else ServiceError
            raise kind(f"{self._path} answered {status}: {body[:300].decode(errors='replace')}")
        return _read_answer(body)

    def _retry(self, content: bytes, content_type: str) -> tuple[int, bytes]:
        try:
            return self._post(content, content_type)
        except _UNREACHABLE as error:
            raise ServiceError(f"{self._url.geturl()} cannot be reached ({error}): is the service running?") from error

    def _post(self, content: bytes, content_type: str) -> tuple[int, bytes]:
        self._connection.request("POST", self._path, content, {"Content-Type": content_type})
        response = self._connection.getresponse()
        return response.status, response.read()


def _parse(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ServiceError(f"{url} is not the address of a service: write it as http://localhost:8000")
    return parts


def _connect(url: SplitResult) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    return kind(str(url.hostname), url.port, timeout=_TIMEOUT)


def _read_answer(body: bytes) -> Answer:
    try:
        prediction: Any = json.loads(body)["predictions"][0]
        probabilities = {int(row["index"]): float(row["probability"]) for row in prediction["top_k"]}
        return Answer(int(prediction["index"]), probabilities)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ServiceError(
            f"the service's answer is not a prediction: {body[:300].decode(errors='replace')}"
        ) from error

"""A client of a running service: posts image files over one persistent connection, and reads the predictions."""

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from training.errors import NotServed, ServiceError

_TIMEOUT = 30.0  # seconds: many times what one small image takes
_UNREACHABLE = (OSError, http.client.HTTPException)

Post = Callable[[bytes, str], "Prediction"]


@dataclass(frozen=True)
class Prediction:
    """The service's prediction for one image: its class's index, and the probabilities of the top classes by index."""

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

    def predict(self, content: bytes, content_type: str) -> Prediction:
        """Post one image file; raises ServiceError, or NotServed where there is no such model or version."""
        try:
            status, body = self._post(content, content_type)
        except _UNREACHABLE:
            self._connection.close()  # servers may close an idle connection at any time: try once more
            status, body = self._retry(content, content_type)
        if status != http.HTTPStatus.OK:
            kind = NotServed if status == http.HTTPStatus.NOT_FOUND else ServiceError
            raise kind(f"{self._path} answered {status}: {body[:300].decode(errors='replace')}")
        return _read_prediction(body)

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


def _read_prediction(body: bytes) -> Prediction:
    try:
        prediction: Any = json.loads(body)["predictions"][0]
        probabilities = {int(row["index"]): float(row["probability"]) for row in prediction["top_k"]}
        return Prediction(int(prediction["index"]), probabilities)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ServiceError(
            f"the service's response is not a prediction: {body[:300].decode(errors='replace')}"
        ) from error

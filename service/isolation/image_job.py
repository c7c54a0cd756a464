"""One job for a process that decodes images: what it gets, and what has become of it."""

import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, Preprocessing
from preprocessing.errors import (
    DamagedImage,
    EmptyImage,
    ImageError,
    ImageTooCostly,
    ImageTooLarge,
    TruncatedImage,
    UnknownFormat,
    UnsupportedVariant,
)
from service.errors import RequestError
from service.isolation.messages import Buffer, MalformedMessage, Message, encode_message

MAX_TRACEBACK = 4000  # characters
MAX_TEXT = 300  # characters of an error
MAX_STEPS = 16  # of one image
ERRORS: dict[str, type[ImageError]] = {
    kind.__name__: kind
    for kind in (
        DamagedImage,
        EmptyImage,
        ImageTooCostly,
        ImageTooLarge,
        TruncatedImage,
        UnknownFormat,
        UnsupportedVariant,
    )
}


class ImageTask(NamedTuple):
    """The images of a request, how they are prepared, and how many pixels one and all of them may have."""

    contents: tuple[bytes, ...]
    spec: InputSpec
    contract: Preprocessing
    max_pixels: int
    max_request_pixels: int


class PreparedImages(NamedTuple):
    """Pixels, uint8 [N, height, width, channels], the steps of each image, and the seconds of both stages."""

    pixels: NDArray[np.uint8]
    steps: tuple[tuple[str, ...], ...]
    decode_seconds: float
    preprocess_seconds: float


class ImageFailure(NamedTuple):
    """What is wrong with one of the images, by its index; `most` is how many pixels it was allowed to have."""

    error: ImageError
    row: int
    most: int


# An error here is never raised itself: its traceback would hold the job, and so the images, until a full collection.
Result = PreparedImages | ImageFailure | RequestError | RuntimeError


class ImageJob:
    """A task on its way; `look` is called before each answer whether it is over, and may end it."""

    def __init__(self, task: ImageTask, since: float, look: Callable[[], None]) -> None:
        self.task = task
        self.since = since  # in the pool's seconds
        self.nbytes = sum(map(len, task.contents))
        self.row = 0  # of the image that is being prepared
        self.has_begun = False  # whether a process has said that it is at the first
        self.attempts = 0
        self.result: Result | None = None
        self.seconds = 0.0  # until there was one
        self._look = look

    def is_over(self) -> bool:
        """Whether there is a result."""
        if self.result is None:
            self._look()
        return self.result is not None

    def message(self, seconds: float) -> list[Buffer]:
        """The message for a process that may use so many CPU seconds."""
        task = self.task
        members = {
            "sizes": list(map(len, task.contents)),
            "spec": asdict(task.spec),
            "contract": asdict(task.contract),
            "max_pixels": task.max_pixels,
            "max_request_pixels": task.max_request_pixels,
            "seconds": seconds,
        }
        return encode_message(members, task.contents)

    def read(self, message: Message) -> Result | None:
        """What a message of the process says; None if only that it is at another image. Raises MalformedMessage.

        The process has read hostile bytes: nothing that it says is used before it is checked.
        """
        members = message.members
        if members.keys() == {"row"}:
            self.row = _integer(members["row"], 0, len(self.task.contents) - 1)
            self.has_begun = True
            return None
        if "unexpected" in members:
            return RuntimeError(f"in a process that decodes images: {members['unexpected']!r:.{MAX_TRACEBACK}}")
        if "error" in members:
            kind, text = ERRORS.get(str(members["error"])), str(members.get("text"))[:MAX_TEXT]
            if kind is None:
                raise MalformedMessage("an unknown error")
            return ImageFailure(kind(text), self.row, _integer(members.get("most"), 0, self.task.max_request_pixels))
        return self._read_prepared(members, message.content)

    def _read_prepared(self, members: dict[str, Any], content: bytes) -> PreparedImages:
        spec, count = self.task.spec, len(self.task.contents)
        shape = (count, spec.height, spec.width, spec.channels)
        steps = members.get("steps")
        if len(content) != math.prod(shape) or not isinstance(steps, list) or len(steps) != count:
            raise MalformedMessage("pixels or steps of another number")
        pixels = np.frombuffer(content, np.uint8).reshape(shape)
        decode, preprocess = (_seconds(members.get(name)) for name in ("decode", "preprocess"))
        return PreparedImages(pixels, tuple(map(_steps, steps)), decode, preprocess)


def _integer(value: Any, least: int, most: int) -> int:
    if not isinstance(value, int) or not least <= value <= most:
        raise MalformedMessage("a number out of range")
    return value


def _seconds(value: Any) -> float:
    if not isinstance(value, float) or not 0 <= value < 1e6:
        raise MalformedMessage("seconds out of range")
    return value


def _steps(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_STEPS:
        raise MalformedMessage("steps that are no list")
    if any(not isinstance(step, str) or len(step) > MAX_TEXT for step in value):
        raise MalformedMessage("steps that are no texts")
    return tuple(value)

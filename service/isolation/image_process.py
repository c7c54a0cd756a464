"""The program of a process that decodes and prepares images of clients, and does nothing else.

It imports Pillow, NumPy and `preprocessing`. One message is one job: the files of a request; the response is their
pixels, or what is wrong with one of them.
"""

import contextlib
import re
import sys
import traceback
from time import perf_counter

import numpy as np

from modelrepo.metadata import InputSpec, Preprocessing
from preprocessing.cost import estimate
from preprocessing.decode import decode
from preprocessing.errors import DamagedImage, ImageError, ImageTooCostly, TruncatedImage
from preprocessing.pipeline import PreparedImage, prepare
from service.isolation.child import EXIT_MEMORY, enter_child, limit_cpu
from service.isolation.messages import Message, MessageSocket
from service.memory import trim_heap

LEAST_BYTES = 10  # of memory that decoding a pixel takes
AVIF_SIZE = re.compile(rb"ispe\0{4}(.{4})(.{4})", re.DOTALL)  # ISO/IEC 23008-12, 6.5.3: width and height
AVIF_HEADER = 1 << 16


def main() -> None:
    """Respond to one job after the other until the parent closes the socket."""
    channel, arguments = enter_child()
    memory = int(arguments[0])
    with contextlib.suppress(BrokenPipeError):
        while (message := channel.receive()) is not None:
            limit_cpu(message.members["seconds"])
            try:
                _respond(channel, message, memory)
            except MemoryError:
                sys.exit(EXIT_MEMORY)
            except Exception:  # a defect, which the parent logs
                channel.send({"unexpected": traceback.format_exc()})
            trim_heap()


def _respond(channel: MessageSocket, job: Message, memory: int) -> None:
    members = job.members
    spec, contract = InputSpec(**members["spec"]), Preprocessing(**members["contract"])
    sizes, left = members["sizes"], members["max_request_pixels"]
    pixels = np.empty((len(sizes), spec.height, spec.width, spec.channels), np.uint8)
    steps, seconds, at = [], {"decode": 0.0, "preprocess": 0.0}, 0
    for row, size in enumerate(sizes):
        channel.send({"row": row})  # should this process die of it
        content, at = job.content[at : at + size], at + size
        most = min(members["max_pixels"], left)
        try:
            prepared, taken = _prepare(content, most, spec, contract, seconds)
        except ImageError as error:
            error = _find_cause(error, content, memory)
            channel.send({"error": type(error).__name__, "text": str(error), "most": most})
            return
        left -= taken
        pixels[row] = prepared.pixels
        steps.append(prepared.steps)
    channel.send({"steps": steps, **seconds}, [pixels.tobytes()])


def _prepare(
    content: bytes, most: int, spec: InputSpec, contract: Preprocessing, seconds: dict[str, float]
) -> tuple[PreparedImage, int]:
    """The prepared image and the pixels that it had; adds the seconds of both stages."""
    began = perf_counter()
    images = [decode(content, most)]
    taken = images[0].width * images[0].height
    decoded = perf_counter()
    prepared = prepare(images.pop(), spec, contract)  # which holds the only reference, and drops it early
    seconds["decode"] += decoded - began
    seconds["preprocess"] += perf_counter() - decoded
    return prepared, taken


def _find_cause(error: ImageError, content: bytes, memory: int) -> ImageError:
    """Want of memory, where a decoder that cannot say so failed at an image that must have taken all of it."""
    if not isinstance(error, DamagedImage | TruncatedImage) or _claimed_pixels(content) * LEAST_BYTES < memory:
        return error
    return ImageTooCostly(f"the image takes more than {memory >> 20} MB to decode")


def _claimed_pixels(content: bytes) -> int:
    cost = estimate(content)
    if cost is not None:
        return cost.shape[0] * cost.shape[1]
    sizes = AVIF_SIZE.findall(content[:AVIF_HEADER]) if content[4:8] == b"ftyp" else []
    return max((int.from_bytes(width) * int.from_bytes(height) for width, height in sizes), default=0)


if __name__ == "__main__":
    main()

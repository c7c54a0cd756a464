"""Clients with images that are all different: each response has to be the one of its own request."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from modelrepo.reader import read_bundle
from preprocessing.png import encode_png
from service.codecs.inputs import EncodedImage, EncodedImages
from service.codecs.limits import Limits
from service.inference.predictor import Predictor
from service.inference.runtime import load_model
from service.telemetry.stage_timer import Timeline
from tests.support.http.raw_client import RawConnection, Response, request

PIPELINED = 8
DRIP_SECONDS = 0.002
TOLERANCE = 1e-6
Expected = tuple[int, float]  # index and probability of the first class


def distinct_images(number: int, side: int = 28, seed: int = 0) -> list[bytes]:
    """PNG files of faint noise, each with one bright place off the border: in MNIST's form, so they stay."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 30, (number, side, side, 1), np.uint8)
    for image in images:
        top, left = rng.integers(1, side // 2, 2)
        image[top : top + side // 2, left : left + side // 4] = 255
    return [encode_png(image) for image in images]


def expected_responses(bundle: Path, files: Sequence[bytes]) -> list[Expected]:
    """What the service's own library says of each file by itself, in this process."""
    read = read_bundle(bundle)
    model = load_model(read.model, read.metadata.input, read.metadata.output, 1)
    predictor = Predictor(read.metadata, "", model, Limits(1_000_000, 1_000_000, 8))
    found = []
    for content in files:
        probabilities = predictor.classify(EncodedImages((EncodedImage(content, "image"),)), Timeline()).probabilities[
            0
        ]
        found.append((int(probabilities.argmax()), float(probabilities.max())))
    return found


class IdentityClients:
    """Clients of three kinds in turn: one request at a time on a kept connection, pipelined, and in small pieces."""

    def __init__(self, port: int, path: str, files: Sequence[bytes], expected: Sequence[Expected]) -> None:
        self._port = port
        self._requests = [request("POST", path, content, content_type="image/png") for content in files]
        self._expected = expected
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()  # right, wrong, lost
        self.faults: list[str] = []

    def run(self, clients: int, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Send for so long."""
        kinds = (self._one_at_a_time, self._pipelined, self._dripping)
        threads = [
            threading.Thread(target=self._work, args=[kinds[number % 3], random.Random(number)])
            for number in range(clients)
        ]
        for thread in threads:
            thread.start()
        begun = time.monotonic()
        try:
            meanwhile()
            time.sleep(max(0.0, begun + seconds - time.monotonic()))
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def _work(self, exchange: "Callable[[RawConnection, random.Random], bool]", chosen: random.Random) -> None:
        while not self._ended.is_set():
            with RawConnection(self._port) as connection:
                stays = True
                while stays and not self._ended.is_set():
                    stays = exchange(connection, chosen)

    def _one_at_a_time(self, connection: RawConnection, chosen: random.Random) -> bool:
        return self._exchange(connection, [chosen.randrange(len(self._requests))])

    def _pipelined(self, connection: RawConnection, chosen: random.Random) -> bool:
        return self._exchange(connection, [chosen.randrange(len(self._requests)) for _ in range(PIPELINED)])

    def _dripping(self, connection: RawConnection, chosen: random.Random) -> bool:
        number = chosen.randrange(len(self._requests))
        content = self._requests[number]
        cuts = sorted(chosen.randrange(len(content)) for _ in range(4))
        pieces = [content[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
        return self._exchange(connection, [number], pieces)

    def _exchange(
        self, connection: RawConnection, numbers: Sequence[int], pieces: Sequence[bytes] | None = None
    ) -> bool:
        """Send requests and compare their responses; whether the connection stays open."""
        done = 0
        try:
            for piece in pieces or [b"".join(self._requests[number] for number in numbers)]:
                connection.send(piece)
                if pieces:
                    time.sleep(DRIP_SECONDS)
            for number in numbers:
                response = connection.response()
                self._compare(number, response)
                done += 1
                if response.headers["Connection"] == "close":
                    return False  # what follows was not processed, and a client sends it again
        except (OSError, ValueError) as error:
            if done == 0:  # a client that was not told that the connection ends
                self._note("lost", f"{type(error).__name__}: {error}")
            else:
                self._note("lost", f"after {done} of {len(numbers)}: {error}")
            return False
        return True

    def _compare(self, number: int, response: Response) -> None:
        if response.status != 200:
            self._note("wrong", f"{response.status} {response.body[:200]!r}")
            return
        (first,) = json.loads(response.body)["predictions"]
        best = first["top_k"][0]
        index, probability = self._expected[number]
        if best["index"] == index and abs(best["probability"] - probability) < TOLERANCE:
            self._note("right", "")
        else:
            self._note("wrong", f"image {number}: {best} is not {(index, probability)}")

    def _note(self, result: str, fault: str) -> None:
        with self._lock:
            self.counts[result] += 1
            if fault:
                self.faults.append(fault)

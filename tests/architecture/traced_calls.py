"""Real calls whose ways are counted: python -m tests.architecture.traced_calls [--verbose] [CALL…] prints them.

Every request takes more than the 5 ms after which the worker looks for new arrivals: so its turn always ends there.
"""

import argparse
import http.client
import io
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.architecture.call_paths import ROOT, Turn, Way, read_turns, table
from tests.support.processes.service import RunningService, running, until

TIMES = 10  # how often a request is sent; the shortest way is the one that no clock has made longer
QUIET = 1.0  # seconds without a turn that is new, after which a version's coming is over
POLL_INTERVAL = 0.2  # seconds between the service's looks at its models
SEED = 1
IMAGES = {"train": 12, "test": 4}  # of each digit

Request = tuple[str, bytes, dict[str, str]]  # path, body and headers


def ways_of_requests(*names: str) -> dict[str, Way]:
    """The ways of these requests through a service that has answered the same one before."""
    with _served() as (service, _):
        return {name: _way_of_request(service, *REQUESTS[name]()) for name in names}


def way_of_new_version() -> Way:
    """The way of a version of `mnist` from the repository into the running service."""
    with _served() as (service, models):
        usual = set(_wait_for_quiet(service, since=0))
        since = service.stderr.stat().st_size
        _publish_next(models / "mnist")
        until(lambda: bool(_new_turns(service, since, usual)), "the service looks")
        new = _wait_for_quiet(service, since)
        usual |= set(_wait_for_quiet(service, service.stderr.stat().st_size))
        assert b'"default":3' in service.get("/models").body
        return Way(tuple(turn for turn in new if not turn.main and turn not in usual))


def way_of_train() -> Way:
    """The way of `train mnist-strong`."""
    with tempfile.TemporaryDirectory() as folder:
        return _way_of_command(Path(folder), "train", "mnist-strong", "--epochs", "1")


def way_of_int8() -> Way:
    """The way of `export --int8`, from a network that tells the digits apart."""
    with tempfile.TemporaryDirectory() as folder:
        learn = ("train", "mnist", "--epochs", "4", "--save", "digits.keras")
        _run(Path(folder), "training", *learn)
        return _way_of_command(Path(folder), "export", "digits.keras", "--recipe", "mnist", "--int8")


def one_image() -> Request:
    """One picture as the body."""
    return "/predict", _png(), {"Content-Type": "image/png"}


def form() -> Request:
    """Two pictures as the files of a form."""
    head = b'--limit\r\nContent-Disposition: form-data; name="image"; filename="one.png"\r\n'
    part = head + b"Content-Type: image/png\r\n\r\n" + _png() + b"\r\n"
    return "/predict", part * 2 + b"--limit--\r\n", {"Content-Type": "multipart/form-data; boundary=limit"}


def binary_tensor() -> Request:
    """Images as bytes behind the JSON, as Triton's client sends and asks for them."""
    shape = [16, 32, 32, 3]
    images = bytes(math.prod(shape))
    tensor = {"name": "image", "datatype": "UINT8", "shape": shape, "parameters": {"binary_data_size": len(images)}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return "/v2/models/cifar10/infer", head + images, {"Inference-Header-Content-Length": str(len(head))}


REQUESTS: dict[str, Callable[[], Request]] = {
    "POST /predict": one_image,
    "POST /predict, form": form,
    "POST /v2 infer, binary": binary_tensor,
}
CALLS: dict[str, Callable[[], Way]] = {
    **{name: partial(lambda name: ways_of_requests(name)[name], name) for name in REQUESTS},
    "new version": way_of_new_version,
    "train mnist-strong": way_of_train,
    "export --int8": way_of_int8,
}


@contextmanager
def _served() -> Iterator[tuple[RunningService, Path]]:
    """A service with one worker that is traced, and its own copy of the repository's models."""
    with tempfile.TemporaryDirectory() as folder:
        models = Path(shutil.copytree(ROOT / "models", Path(folder, "models")))
        module = "tests.architecture.traced_service"
        with running(models, module, poll_interval=POLL_INTERVAL) as service:
            yield service, models


def _way_of_request(service: RunningService, path: str, body: bytes, headers: dict[str, str]) -> Way:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    ways = []
    for _ in range(1 + TIMES):
        since = service.stderr.stat().st_size
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        assert answer.read(), answer.status
        assert answer.status == 200
        until(lambda since=since: bool(_answers(service, since)), "the turn has ended")  # type: ignore[misc]
        ways.append(_answers(service, since)[0])
    connection.close()
    return min(ways[1:], key=lambda way: way.moves)


def _answers(service: RunningService, since: int) -> list[Way]:
    """The turn that has answered: the others of an idle service visit few files."""
    ways = [Way((turn,)) for turn in _turns(service, since)]
    return [way for way in ways if way.files > 20]


def _publish_next(model: Path) -> None:
    """Publish the newest version of a model once more, as its next."""
    newest = max(int(path.name) for path in model.iterdir())
    staged = Path(shutil.copytree(model / str(newest), model.parent / ".staged"))
    metadata = json.loads((staged / "metadata.json").read_text())
    (staged / "metadata.json").write_text(json.dumps({**metadata, "version": newest + 1}))
    staged.rename(model / str(newest + 1))


def _wait_for_quiet(service: RunningService, since: int) -> list[Turn]:
    """All turns since a place in what the service writes, once there was no new one for a while."""
    known: set[Turn] = set()
    news = time.monotonic()

    def is_quiet() -> bool:
        nonlocal news
        turns = set(_turns(service, since))
        if not turns <= known:
            known.update(turns)
            news = time.monotonic()
        return bool(turns) and time.monotonic() > news + QUIET

    until(is_quiet, "nothing new happens", pause=POLL_INTERVAL)
    return _turns(service, since)


def _new_turns(service: RunningService, since: int, usual: set[Turn]) -> set[Turn]:
    return set(_turns(service, since)) - usual


def _turns(service: RunningService, since: int) -> list[Turn]:
    with service.stderr.open("rb") as written:
        written.seek(since)
        return list(read_turns(written.read()))


def _way_of_command(folder: Path, *arguments: str) -> Way:
    """All threads and waits of a command: here only which moves it makes counts."""
    return Way(tuple(read_turns(_run(folder, "tests.architecture.traced_training", *arguments))), once=True)


def _run(folder: Path, module: str, *arguments: str) -> bytes:
    """Run a command of the training side on a few drawn images; gives what it writes to standard error."""
    data = folder / "digits.npz"
    np.savez(data, allow_pickle=False, **_draw_digits())
    command = [sys.executable, "-m", module, *arguments, "--data", str(data), "--models", str(folder / "models")]
    placed = [str(folder / word) if word.endswith(".keras") else word for word in command]
    done = subprocess.run(placed, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:].decode(errors="replace")
    return done.stderr


def _draw_digits() -> dict[str, NDArray[np.uint8]]:
    """Squares whose place tells the digit."""
    random = np.random.default_rng(SEED)
    drawn: dict[str, NDArray[np.uint8]] = {}
    for split, count in IMAGES.items():
        labels = np.repeat(np.arange(10, dtype=np.uint8), count)
        images = random.integers(0, 60, (len(labels), 28, 28), np.uint8)
        for image, label in zip(images, labels, strict=True):
            row, column = divmod(int(label), 3)
            image[2 + 5 * row : 8 + 5 * row, 2 + 8 * column : 9 + 8 * column] = 250
        drawn |= {f"x_{split}": images, f"y_{split}": labels}
    return drawn


def _png() -> bytes:
    """A one in black ink on white paper, in colour, larger than the network's input and decoded in the loop."""
    picture, written = Image.new("RGB", (225, 300), "white"), io.BytesIO()
    ImageDraw.Draw(picture).rectangle((100, 50, 125, 250), "black")
    picture.save(written, "PNG")
    return written.getvalue()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--verbose", action="store_true", help="every file in its order, and what is called there")
    parser.add_argument("calls", nargs="*", metavar="CALL", help=f"of {', '.join(CALLS)}; all without any")
    options = parser.parse_args()
    ways = ((name, CALLS[name]()) for name in options.calls or CALLS)
    for line in table(ways, verbose=options.verbose):
        print(line, flush=True)  # noqa: T201 - this is what it is for


if __name__ == "__main__":
    main()

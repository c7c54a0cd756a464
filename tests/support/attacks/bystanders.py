"""Other clients during an attack: what they wait for `/livez` and for the prediction of a digit.

They are in a process of their own, which also measures the machine's own delay: a byte that goes to a thread of that
process and back, over TCP. It has nothing to do with the service, so its longest wait is added to the bounds.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from preprocessing.png import encode_png
from tests.support.http.raw_client import request
from tests.support.images.drawn import tiny_image

ROOT = Path(__file__).parents[3]
DIGIT = encode_png(tiny_image(1))
BOUNDS = {"/livez": 0.25, "digit": 0.5}  # seconds
REQUESTS = {
    "/livez": request("GET", "/livez"),
    "digit": request("POST", "/predict", DIGIT, content_type="image/png"),
}
STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Probe:
    """One request of a bystander; `started` is of time.monotonic()."""

    started: float
    seconds: float
    status: int  # 0 where no response came
    error: str  # why none came


@dataclass
class Bystanders:
    """What they saw, by client; empty until they have ended."""

    probes: dict[str, list[Probe]] = field(default_factory=dict)

    @property
    def machine(self) -> float:
        """The longest wait of the byte that does not go to the service, in seconds."""
        return self.longest()["machine"]

    def longest(self) -> dict[str, float]:
        """The longest wait of each client, in seconds."""
        return {name: max((probe.seconds for probe in probes), default=0.0) for name, probes in self.probes.items()}

    def count(self, kind: str) -> int:
        """How many responses of status 200 there were of `/livez` or `digit`."""
        return sum(probe.status == 200 for name in self._of(kind) for probe in self.probes[name])

    def complaints(self) -> list[str]:
        """Each client that waited too long, or that had no response of status 200."""
        return [line for kind, bound in BOUNDS.items() for name in self._of(kind) for line in self._check(name, bound)]

    def _of(self, kind: str) -> list[str]:
        return [name for name in self.probes if name.startswith(kind)]

    def _check(self, name: str, bound: float) -> Iterator[str]:
        probes = self.probes[name]
        longest = max(probes, key=lambda probe: probe.seconds)
        late = sum(probe.seconds > bound + self.machine for probe in probes)
        if late:
            yield (
                f"{name}: {late} of {len(probes)} waited too long, one of them {longest.seconds:.3f} s"
                f" (status {longest.status}); the machine alone {self.machine:.3f} s"
            )
        bad = [probe for probe in probes if probe.status != 200]
        if bad:
            yield f"{name}: {len(bad)} of {len(probes)} had no 200, such as {bad[0].status} {bad[0].error}"


@contextmanager
def bystanders(port: int) -> Iterator[Bystanders]:
    """Clients for as long as the block lasts: two for `/livez` and two for a digit, on kept and on new connections."""
    requests = {name: content.decode("latin-1") for name, content in REQUESTS.items()}
    command = [sys.executable, "-m", "tests.support.attacks.bystander_process"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("no pipes to the bystanders")
        seen = Bystanders()
        try:
            process.stdin.write(json.dumps({"port": port, "requests": requests}) + "\n")
            process.stdin.flush()
            if process.stdout.readline() != "begun\n":
                raise RuntimeError("the bystanders did not start; what they said is above")
            yield seen
            said, _ = process.communicate(timeout=STOP_SECONDS)
            seen.probes.update({name: [Probe(*each) for each in probes] for name, probes in json.loads(said).items()})
        finally:
            process.kill()

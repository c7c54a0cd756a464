"""Bundles that crash, hang, grow or lie, each published as a version of a model; seeded."""

import json
import os
import random
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from modelrepo.golden import GoldenSet
from modelrepo.metadata import OutputSpec
from modelrepo.repository import GOLDEN, METADATA, MODEL
from tests.support.bundles.bad_networks import endless_graph, growing_graph, huge_graph
from tests.support.bundles.copies import change_golden_probabilities, edit, record
from tests.support.bundles.fake_predictors import FAKE_GOLDEN
from tests.support.bundles.tiny import publish_tiny

Bad = Callable[[Path, str, int, random.Random], None]


def hang(models: Path, name: str, version: int, _: random.Random | None = None) -> None:
    """A graph that never ends."""
    publish_tiny(models, name, version, golden=FAKE_GOLDEN, network=endless_graph())


def grow(models: Path, name: str, version: int, _: random.Random | None = None) -> None:
    """A graph that takes more memory in every round of a loop."""
    publish_tiny(models, name, version, golden=FAKE_GOLDEN, network=growing_graph())


def claim(models: Path, name: str, version: int, chance: random.Random) -> None:
    """A graph that wants terabytes at once."""
    publish_tiny(models, name, version, golden=FAKE_GOLDEN, network=huge_graph(1 << chance.randint(18, 24)))


def garble(models: Path, name: str, version: int, chance: random.Random) -> None:
    """A graph with some bytes changed, or cut off, whose hash is right."""
    bundle = publish_tiny(models, name, version)
    content = bytearray((bundle / MODEL).read_bytes())
    for _ in range(chance.randint(1, 40)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    (bundle / MODEL).write_bytes(content[: chance.randrange(len(content) // 2, len(content) + 1)])
    record(bundle, MODEL)
    change_golden_probabilities(bundle)  # some changes do no harm


def lie_about_results(models: Path, name: str, version: int, _: random.Random) -> None:
    """Golden images of another network."""
    golden = GoldenSet(0.01, FAKE_GOLDEN.images)
    publish_tiny(models, name, version, golden=golden)


def lie_about_classes(models: Path, name: str, version: int, chance: random.Random) -> None:
    """More labels than the graph has outputs."""
    count = chance.randint(4, 1000)
    spec = OutputSpec("probabilities", "float32", "probabilities", count)
    publish_tiny(models, name, version, output=spec, labels=tuple(map(str, range(count))))


def lie_about_size(models: Path, name: str, version: int, chance: random.Random) -> None:
    """An input of other pixels than the graph takes, up to more than any memory holds."""
    bundle = publish_tiny(models, name, version)
    side, images = chance.choice((4, 9, 3000, 100_000, 10**9)), chance.choice((None, 1, 10**6))
    sizes = {"height": side, "width": side, "batch": images}
    edit(bundle / METADATA, lambda members: {**members, "input": {**members["input"], **sizes}})


def replace_by_fifo(file: str, models: Path, name: str, version: int, _: random.Random) -> None:
    """A named pipe, which nobody writes to, in the place of a file."""
    bundle = publish_tiny(models, name, version)
    (bundle / file).unlink()
    os.mkfifo(bundle / file)


def link_out(models: Path, name: str, version: int, _: random.Random) -> None:
    """A file that is a link to one outside the bundle."""
    bundle = publish_tiny(models, name, version)
    outside = models.parent / "outside.onnx"
    shutil.copy(bundle / MODEL, outside)
    (bundle / MODEL).unlink()
    (bundle / MODEL).symlink_to(outside)


def empty(models: Path, name: str, version: int, _: random.Random) -> None:
    """A folder without files."""
    (models / name / str(version)).mkdir(parents=True)


def write_endless_metadata(models: Path, name: str, version: int, chance: random.Random) -> None:
    """A `metadata.json` of many megabytes, or nested deeply."""
    bundle = publish_tiny(models, name, version)
    members: dict[str, Any] = json.loads((bundle / METADATA).read_text())
    text = json.dumps({**members, "training": {"log": ["epoch"] * 2_000_000}})
    (bundle / METADATA).write_text(chance.choice((text, "[" * 5_000_000)))


KINDS: dict[str, Bad] = {
    "hangs": hang,
    "grows": grow,
    "wants terabytes": claim,
    "garbled graph": garble,
    "wrong results": lie_about_results,
    "wrong classes": lie_about_classes,
    "wrong size": lie_about_size,
    "FIFO as golden image": partial(replace_by_fifo, f"{GOLDEN}/00.png"),
    "FIFO as graph": partial(replace_by_fifo, MODEL),
    "FIFO as metadata": partial(replace_by_fifo, METADATA),
    "link out": link_out,
    "empty": empty,
    "endless metadata": write_endless_metadata,
}


def publish_bad(
    models: Path, place: Callable[[int], tuple[str, int]], count: int, seed: int, kinds: Sequence[str] = tuple(KINDS)
) -> None:
    """Publish so many bad bundles, of all kinds in turn; `place` gives the name and version of each, from 0."""
    chance = random.Random(seed)
    chosen = [KINDS[kinds[n % len(kinds)]] for n in range(count)]
    chance.shuffle(chosen)
    for n, publish in enumerate(chosen):
        publish(models, *place(n), chance)

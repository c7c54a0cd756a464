"""Copies of a published bundle as other versions, intact or damaged in several ways."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelrepo.golden import INDEX
from modelrepo.reader import record_file
from modelrepo.repository import GOLDEN, METADATA, MODEL

Damage = Callable[[Path], None]


def copy_bundle(source: Path, target: Path, damage: Damage | None = None) -> Path:
    """Copy a bundle to `<models>/<name>/<version>`, and damage the copy if asked; one rename publishes it."""
    staged = target.parent.parent / f".copy-{target.parent.name}-{target.name}"
    shutil.copytree(source, staged)
    edit(staged / METADATA, lambda members: {**members, "name": target.parent.name, "version": int(target.name)})
    if damage:
        damage(staged)
    target.parent.mkdir(exist_ok=True)
    return staged.rename(target)


def truncate_graph(bundle: Path) -> None:
    """The file ends too early, as on a full disk."""
    graph = bundle / MODEL
    graph.write_bytes(graph.read_bytes()[:-100])


def flip_a_bit(bundle: Path) -> None:
    """The size is right, the hash is wrong."""
    graph = bundle / MODEL
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(bytes(content))


def change_golden_probabilities(bundle: Path) -> None:
    """The graph is intact, but gives other probabilities than the golden images have."""

    def turn(golden: dict[str, Any]) -> dict[str, Any]:
        for image in golden["images"]:
            image["probabilities"] = image["probabilities"][1:] + image["probabilities"][:1]
        return golden

    edit(bundle / GOLDEN / INDEX, turn)
    record(bundle, f"{GOLDEN}/{INDEX}")


def corrupt_metadata(bundle: Path) -> None:
    """A field has a value that the contract does not allow."""
    edit(bundle / METADATA, lambda members: {**members, "labels": members["labels"][1:]})


def write_no_graph(bundle: Path) -> None:
    """The hash is right, but the file is no graph."""
    (bundle / MODEL).write_bytes(b"no graph")
    record(bundle, MODEL)


DAMAGE: dict[str, Damage] = {  # by the words that the metric has for them, or one like it
    "corrupt: truncated": truncate_graph,
    "corrupt: hash": flip_a_bit,
    "golden": change_golden_probabilities,
    "metadata": corrupt_metadata,
    "graph": write_no_graph,
}


def record(bundle: Path, name: str) -> None:
    """Record the size and the hash of a changed file in the metadata."""
    record = vars(record_file(bundle / name))
    edit(bundle / METADATA, lambda members: {**members, "files": {**members["files"], name: record}})


def edit(file: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    file.write_text(json.dumps(change(json.loads(file.read_text()))))

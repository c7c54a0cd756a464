"""A split from one of the original archives."""

from pathlib import Path

import numpy as np

from training.cifar.files import read_files
from training.cifar.layouts import Layout
from training.datasets import DatasetSpec, Split, make_split
from training.errors import InvalidData


def read_original(layout: Layout, spec: DatasetSpec, source: Path, split: str) -> Split:
    """Read the `train` or the `test` split in the archive's order.

    Raises InvalidData where the archive is another data set's, is damaged, or names other classes than the spec.
    """
    if spec.name not in layout.formats:
        raise InvalidData(f"{source} holds {layout.archive}, which is good for {' and '.join(layout.formats)} only")
    kind, names = layout.formats[spec.name], layout.splits[split]
    contents = read_files(source, (*names, kind.names_file))
    _check_names(spec, kind.read_names(contents[kind.names_file], f"{source}: {kind.names_file}"), source)
    batches = [kind.read_batch(contents[name], f"{source}: {name}") for name in names]
    images = np.concatenate([batch.images for batch in batches])
    return make_split(spec, images, np.concatenate([batch.labels for batch in batches]), str(source))


def _check_names(spec: DatasetSpec, names: tuple[str, ...], source: Path) -> None:
    """What says that label 7 means the same here as in the archive."""
    if names != spec.labels:
        raise InvalidData(f"{source} does not list the {len(spec.labels)} classes of {spec.name} in their order")

"""The test split that a bundle was evaluated on, made again from local files: its images, labels and encoded files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelrepo.metadata import Metadata
from modelrepo.reader import Bundle
from training.data.image_folder import Folder, read_test
from training.data.lazy_images import ImageFiles
from training.data.load import read_encoded, read_split
from training.data.specs import DatasetSpec
from training.data.splits import Split
from training.data.tar import unpacked
from training.evaluation.verify import check_split, find_dataset

_ANY = "application/octet-stream"  # of any name: the service looks at the content, as the training did

Encoded = tuple[bytes, str]  # an image file and its content type


@dataclass(frozen=True)
class EncodedFiles(Sequence[Encoded]):
    """Files as they are stored, each read when it is asked for."""

    paths: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, position: Any) -> Any:
        return Path(self.paths[position]).read_bytes(), _ANY


@dataclass(frozen=True)
class OpenedTest:
    """Images with their labels, and the same images as files, in the same order."""

    split: Split
    encoded: Sequence[Encoded]


@contextmanager
def opened_test(bundle: Bundle, path: Path) -> Iterator[OpenedTest]:
    """The bundle's test split as long as its files can be read; raises InvalidData where these are others."""
    record = bundle.metadata.training.get("dataset", {})
    if "folder" in record:
        with unpacked(path) as folder:
            split = _read_folder(bundle.metadata, record["folder"], folder)
            check_split(bundle, split)
            yield OpenedTest(split, EncodedFiles(split.images.paths if isinstance(split.images, ImageFiles) else ()))
        return
    spec = find_dataset(bundle)
    split = read_split(spec, path, "test")
    check_split(bundle, split)
    yield OpenedTest(split, read_encoded(spec, path, "test"))


def _read_folder(metadata: Metadata, record: Any, path: Path) -> Split:
    size = metadata.input
    spec = DatasetSpec(path.name, size.height, size.width, size.channels, metadata.labels)
    held_out = {name: record[name] for name in ("seed", "share") if name in record}
    return read_test(Folder(path, spec, metadata.preprocessing, **held_out), tuple(record["classes"]))

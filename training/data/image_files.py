"""Image files of a split, in a folder or in a tar archive of it: `<split>/<class>/<file>`, the ImageNet layout.

Both are read in the order of class and file name, so that a folder and its archive give the same arrays.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from tqdm import tqdm

from modelrepo.metadata import Preprocessing
from preprocessing.decode import decode
from preprocessing.errors import ImageError
from preprocessing.pipeline import orient, prepare
from training.data.lazy_images import Pixels
from training.data.specs import DatasetSpec
from training.data.splits import Split, make_split
from training.data.tar import check_end, open_archive
from training.errors import InvalidData

# By channels: 8 bits, upright, on white. The images have the right size already, so the rules for size do nothing.
_GRAY = Preprocessing("grayscale", "stretch", "nearest", "white", exif_orientation=True, ink=False)
_CONTRACTS = {1: _GRAY, 3: replace(_GRAY, mode="rgb")}


@dataclass(frozen=True)
class ImageFile:
    """One image file: its name, its class folder's name, and its content."""

    name: str
    label: str
    content: bytes


def read_files(source: Path, split: str) -> list[ImageFile]:
    """All images of a split, still encoded; raises InvalidData where the source or the split is missing."""
    stored = _folder_files(source, split) if source.is_dir() else _archive_files(source, split)
    files = sorted(stored, key=lambda file: (file.label, file.name))
    if not files:
        raise InvalidData(f"{source} has no {split}/<class>/<image> files: put the {split} images there")
    return files


def decode_files(spec: DatasetSpec, files: list[ImageFile], source: Path) -> Split:
    """Decode images as the service does; raises InvalidData for the first that is damaged or has another size."""
    indices = {label: index for index, label in enumerate(spec.class_names)}
    _check_classes(spec, files, source)
    images = np.empty((len(files), *spec.shape), np.uint8)
    for position, file in enumerate(
        tqdm(files, desc=f"Decoding {source.name}", unit=" images", leave=False, disable=None)
    ):
        images[position] = decode_image(spec, file)
    labels = np.array([indices[file.label] for file in files])
    return make_split(spec, images, labels, str(source))


def decode_image(spec: DatasetSpec, file: ImageFile) -> Pixels:
    """Pixels of one image as uint8 [height, width, channels]; raises InvalidData, which names the file.

    An image of another size than the data set's is refused, never resized.
    """
    try:
        image, _ = orient(decode(file.content))
    except ImageError as error:
        raise InvalidData(f"{file.name}: {error}; repair or remove the file") from error
    height, width, channels = spec.shape
    if image.size != (width, height):
        raise InvalidData(f"{file.name} has {image.width}×{image.height} pixels where {spec.name} has {width}×{height}")
    return prepare(image, spec.input, _CONTRACTS[channels]).pixels


def _check_classes(spec: DatasetSpec, files: list[ImageFile], source: Path) -> None:
    labels = {file.label for file in files}
    if labels != set(spec.class_names):
        missing, unknown = sorted(set(spec.class_names) - labels), sorted(labels - set(spec.class_names))
        raise InvalidData(
            f"{source}: the class folders are not those of {spec.name}"
            + (f"; missing: {', '.join(missing)}" if missing else "")
            + (f"; unknown: {', '.join(unknown)}" if unknown else "")
        )


def _folder_files(folder: Path, split: str) -> Iterator[ImageFile]:
    for path in (folder / split).glob("*/*"):
        if path.is_file() and not path.name.startswith("."):
            yield ImageFile(path.relative_to(folder).as_posix(), path.parent.name, path.read_bytes())


def _archive_files(archive: Path, split: str) -> Iterator[ImageFile]:
    with open_archive(archive) as stored:
        for member in tqdm(stored, desc=f"Unpacking {archive.name}", unit=" files", leave=False, disable=None):
            parts = PurePosixPath(member.name).parts
            content = stored.extractfile(member) if _is_in_split(parts, split) and member.isfile() else None
            if content is not None:
                yield ImageFile("/".join(parts[-3:]), parts[-2], content.read())
        check_end(stored)


def _is_in_split(parts: tuple[str, ...], split: str) -> bool:
    return len(parts) >= 3 and parts[-3] == split and not parts[-1].startswith(".")

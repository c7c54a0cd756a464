"""Image files of a split, in a folder or in a tar archive of it: `<split>/<class>/<file>`, the ImageNet layout.

Both are read in the order of class and file name, so that a folder and its archive give the same arrays.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from training.data.specs import DatasetSpec
from training.data.splits import Split, make_split
from training.data.tar import check_end, open_archive
from training.errors import InvalidData

_MODES = {1: "L", 3: "RGB"}
# What Pillow raises on files that are cut short or not images; more than OSError, as fuzzing it shows.
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


@dataclass(frozen=True)
class ImageFile:
    """One encoded image as it is stored, with the class folder that it lies in."""

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
    """Decode images as the service does; the first that is damaged or has another size is named."""
    indices = {label: index for index, label in enumerate(spec.labels)}
    _check_classes(spec, files, source)
    images = np.empty((len(files), *spec.shape), np.uint8)
    for position, file in enumerate(
        tqdm(files, desc=f"Decoding {source.name}", unit=" images", leave=False, disable=None)
    ):
        images[position] = decode_image(spec, file)
    labels = np.array([indices[file.label] for file in files])
    return make_split(spec, images, labels, str(source))


def decode_image(spec: DatasetSpec, file: ImageFile) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Pixels of one image as uint8 [height, width, channels]; raises InvalidData, which names the file."""
    try:
        with Image.open(io.BytesIO(file.content)) as stored:
            image = ImageOps.exif_transpose(stored).convert(_MODES[spec.channels])
    except _UNREADABLE as error:
        raise InvalidData(f"{file.name} is not an image that can be read ({error}): repair or remove it") from error
    if image.size != (spec.width, spec.height):
        raise InvalidData(
            f"{file.name} has {image.width}×{image.height} pixels where {spec.name} has {spec.width}×{spec.height}"
        )
    return np.asarray(image).reshape(spec.shape)


def _check_classes(spec: DatasetSpec, files: list[ImageFile], source: Path) -> None:
    found = {file.label for file in files}
    if found != set(spec.labels):
        missing, unknown = sorted(set(spec.labels) - found), sorted(found - set(spec.labels))
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
            content = stored.extractfile(member) if _belongs(parts, split) and member.isfile() else None
            if content is not None:
                yield ImageFile("/".join(parts[-3:]), parts[-2], content.read())
        check_end(stored)


def _belongs(parts: tuple[str, ...], split: str) -> bool:
    return len(parts) >= 3 and parts[-3] == split and not parts[-1].startswith(".")

"""Files of a bundle by SHA-256 and size, the same function for the writer and the reader."""

import hashlib
from pathlib import Path

from modelrepo.errors import CorruptBundle
from modelrepo.metadata import FileRecord, Metadata
from modelrepo.repository import METADATA


def record_file(path: Path) -> FileRecord:
    """The record of a file as it is on disk now."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileRecord(sha256=digest, size=path.stat().st_size)


def record_files(folder: Path) -> dict[str, FileRecord]:
    """The records of all files below a folder but the metadata itself, by path relative to it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): record_file(path) for path in paths if path != folder / METADATA}


def verify_files(folder: Path, metadata: Metadata) -> None:
    """Compare every file that the metadata names with the disk; raises CorruptBundle for the first that differs."""
    for name, expected in metadata.files.items():
        path = folder / name
        if not path.is_file():
            raise CorruptBundle(f"{name} is missing: copy the whole bundle again")
        found = record_file(path)
        if found.size != expected.size:
            raise CorruptBundle(f"{name} has {found.size} bytes where the metadata says {expected.size}: copy it again")
        if found.sha256 != expected.sha256:
            raise CorruptBundle(f"{name} has another SHA-256 than the metadata says: it was changed or damaged")

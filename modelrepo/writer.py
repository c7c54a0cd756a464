"""Writing a bundle: its files are staged in a folder beside the models, and one rename publishes them."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from modelrepo.errors import VersionExists
from modelrepo.metadata import Metadata, parse_metadata
from modelrepo.reader import record_files
from modelrepo.repository import METADATA, ModelRepository

_STAGING = ".staging-"  # no model name starts with a dot, so no reader takes it for one


@contextmanager
def staging(repository: ModelRepository) -> Iterator[Path]:
    """A new empty folder on the repository's own file system; it is removed at the end, after an error too."""
    repository.root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=_STAGING, dir=repository.root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(repository: ModelRepository, staged: Path, metadata: Metadata) -> Path:
    """Make the staged files version `metadata.version` of `metadata.name`, all at once; returns the bundle's path.

    The records in `files` are computed here. Raises InvalidMetadata, VersionExists or OSError, and then the
    repository is as it was.
    """
    complete = replace(metadata, files=record_files(staged))
    text = json.dumps(complete.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
    parse_metadata(json.loads(text))
    (staged / METADATA).write_text(text + "\n", encoding="utf-8")
    _flush(staged)
    target = repository.path(metadata.name, metadata.version)
    _rename(staged, target)
    return target


def replace_version(repository: ModelRepository, staged: Path, metadata: Metadata) -> Path:
    """Put the staged files in the place of a version that exists; returns the bundle's path.

    For an instant there is no such version, so a service that reads the repository then goes on with the old one.
    Raises InvalidMetadata or OSError, and then the repository is as it was.
    """
    target = repository.path(metadata.name, metadata.version)
    with staging(repository) as old:
        target.rename(old / target.name)
        try:
            return publish(repository, staged, metadata)
        except BaseException:
            (old / target.name).rename(target)
            raise


def _rename(staged: Path, target: Path) -> None:
    staged.chmod(0o755)  # mkdtemp makes it private, but the service may run as another user
    target.parent.mkdir(exist_ok=True)
    try:
        staged.rename(target)
    except OSError as error:
        with suppress(OSError):
            target.parent.rmdir()  # only if it was made for this bundle, and so is empty
        if target.exists():
            raise VersionExists(f"{target} exists already: publish under the next version") from error
        raise
    _sync(target.parent)


def _flush(folder: Path) -> None:
    """Have every byte on the disk before the name that makes it visible."""
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

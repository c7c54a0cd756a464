"""Reading a bundle: its metadata, its golden images, and its files, whose sizes and SHA-256 are verified."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelrepo.errors import BundleNotFound, CorruptBundle, InvalidMetadata
from modelrepo.external_data import external_files
from modelrepo.files import hash_file, read_file
from modelrepo.golden import GoldenSet, read_golden
from modelrepo.metadata import FileRecord, Metadata, parse_metadata
from modelrepo.repository import METADATA, MODEL, ModelRepository
from modelrepo.strict_json import parse_json, shown

MAX_METADATA = 4 << 20  # bytes


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have the sizes and the SHA-256 that its metadata names."""

    path: Path
    metadata: Metadata
    golden: GoldenSet
    weights: tuple[str, ...] = ()  # the files that the ONNX file takes weights from, beside itself

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.path / MODEL

    @property
    def digest(self) -> str:
        """The SHA-256 of the ONNX file, in hexadecimal."""
        return self.metadata.files[MODEL].sha256


def read_metadata(path: Path) -> Metadata:
    """Read and check the `metadata.json` of the bundle at `path`, and none of its other files.

    Raises BundleNotFound, CorruptBundle (not JSON), InvalidMetadata (a field is wrong) or OSError.
    """
    try:
        document = parse_json(read_file(path, METADATA, MAX_METADATA).decode())
    except FileNotFoundError as error:
        raise BundleNotFound(f"{path} has no {METADATA}: it is not a bundle") from error
    except (ValueError, RecursionError) as error:
        raise CorruptBundle(f"{METADATA} is not JSON: {error}") from error
    return parse_metadata(document)


def read_bundle(path: Path) -> Bundle:
    """Read a bundle and verify the SHA-256 of every file that its metadata names; no other file is opened.

    Raises BundleNotFound, CorruptBundle, InvalidMetadata or OSError; the graph itself is not opened.
    """
    metadata = read_metadata(path)
    verify_files(path, metadata.files)
    weights = _external_weights(path, metadata)
    return Bundle(path, metadata, read_golden(path, metadata.files), weights)


def read_version(repository: ModelRepository, name: str, version: int) -> Bundle:
    """Read a version of a model and check that its metadata names the folder that it lies in.

    Raises BundleNotFound, CorruptBundle, InvalidMetadata or OSError.
    """
    bundle = read_bundle(repository.path(name, version))
    if bundle.metadata.name != name:
        raise InvalidMetadata("name", f"is {bundle.metadata.name!r} in the folder of {name!r}")
    if bundle.metadata.version != version:
        raise InvalidMetadata("version", f"is {bundle.metadata.version} in the folder of version {version}")
    return bundle


def record_file(path: Path) -> FileRecord:
    """The size and SHA-256 that a file has now; raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileRecord(sha256=digest, size=path.stat().st_size)


def record_files(folder: Path) -> dict[str, FileRecord]:
    """The records of all files of a bundle except its metadata, by path relative to its folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): record_file(path) for path in paths if path != folder / METADATA}


def verify_files(folder: Path, files: Mapping[str, FileRecord]) -> None:
    """Compare every file with its record; raises CorruptBundle for the first that differs."""
    for name, expected in files.items():
        try:
            sha256 = hash_file(folder, name, expected.size)
        except FileNotFoundError as error:
            raise CorruptBundle(f"{name} is missing: copy the whole bundle again") from error
        if sha256 != expected.sha256:
            raise CorruptBundle(f"{name} has another SHA-256 than the metadata says: it was changed or damaged")


def _external_weights(folder: Path, metadata: Metadata) -> tuple[str, ...]:
    """The files that the graph takes weights from; raises CorruptBundle for one that the metadata does not name."""
    files = external_files(read_file(folder, MODEL, metadata.files[MODEL].size))
    unnamed = sorted(files - metadata.files.keys())
    if unnamed:
        raise CorruptBundle(f"{MODEL} has weights in {shown(unnamed[0])}, which {METADATA} does not name in files")
    return tuple(sorted(files))


@contextmanager
def graph_to_open(bundle: Bundle) -> Iterator[Path]:
    """The ONNX file for a runtime to open in this context, where need be with its weights a verified copy.

    A runtime maps files of weights into its memory for as long as it runs. One that is cut off meanwhile, as by a copy
    over it, would kill the process (SIGBUS); the copy is out of everybody's reach. Raises CorruptBundle or OSError.
    """
    if not bundle.weights:
        yield bundle.model
        return
    with tempfile.TemporaryDirectory(prefix="weights-") as folder:
        for name in (MODEL, *bundle.weights):
            copy = Path(folder, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(read_file(bundle.path, name, bundle.metadata.files[name].size))
        verify_files(Path(folder), {name: bundle.metadata.files[name] for name in (MODEL, *bundle.weights)})
        yield Path(folder, MODEL)

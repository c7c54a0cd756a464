"""The one reader of bundles."""

from dataclasses import dataclass
from pathlib import Path

from modelrepo.digest import verify_files
from modelrepo.errors import BundleNotFound, CorruptBundle, InvalidMetadata
from modelrepo.golden import GoldenSet, read_golden
from modelrepo.metadata import Metadata, parse_metadata
from modelrepo.repository import METADATA, MODEL, ModelRepository
from modelrepo.strict_json import parse_json


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files were found to be those that its metadata names."""

    path: Path
    metadata: Metadata
    golden: GoldenSet

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.path / MODEL

    @property
    def digest(self) -> str:
        """The SHA-256 of the ONNX file, in hexadecimal."""
        return self.metadata.files[MODEL].sha256


def read_metadata(path: Path) -> Metadata:
    """Read and check `metadata.json` of the bundle at `path`, and nothing else of it.

    Raises BundleNotFound, CorruptBundle (not JSON) or InvalidMetadata (a field is wrong).
    """
    file = path / METADATA
    if not file.is_file():
        raise BundleNotFound(f"{path} has no {METADATA}: it is not a bundle")
    try:
        document = parse_json(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CorruptBundle(f"{METADATA} is not JSON: {error}") from error
    return parse_metadata(document)


def read_bundle(path: Path) -> Bundle:
    """Read a bundle and verify the SHA-256 of every file.

    Raises BundleNotFound, CorruptBundle or InvalidMetadata; the graph itself is not opened.
    """
    metadata = read_metadata(path)
    verify_files(path, metadata)
    return Bundle(path, metadata, read_golden(path))


def read_version(repository: ModelRepository, name: str, version: int) -> Bundle:
    """Read a version of a model and check that it lies where its metadata says."""
    bundle = read_bundle(repository.path(name, version))
    if bundle.metadata.name != name:
        raise InvalidMetadata("name", f"is {bundle.metadata.name!r} in the folder of {name!r}")
    if bundle.metadata.version != version:
        raise InvalidMetadata("version", f"is {bundle.metadata.version} in the folder of version {version}")
    return bundle

"""`serving.json` at the root of a repository: which versions are loaded, and which of them answer requests.

`{"versions": 2, "models": {"mnist": {"versions": [1, 2], "default": 1, "canary": {"version": 2, "share": 0.1}}}}`

Every member is optional. `versions` is how many of the newest, or a list; beside `models` it is for all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelrepo.errors import CorruptBundle, InvalidMetadata, InvalidPolicy
from modelrepo.files import read_file
from modelrepo.repository import LAST_VERSION, ModelRepository
from modelrepo.strict_json import (
    JsonObject,
    any_object,
    array,
    integer,
    json_object,
    mapping,
    member,
    number,
    parse_json,
    record,
)

SERVING = "serving.json"
MAX_POLICY = 1 << 20  # bytes
MAX_LISTED = 1000  # versions of a model

Versions = int | tuple[int, ...]  # so many of the newest, or these


def _versions(value: Any, path: str) -> Versions:
    if not isinstance(value, list):
        return integer(1)(value, path)
    versions = array(integer(1))(value, path)
    if len(versions) > MAX_LISTED:
        raise InvalidMetadata(path, f"must have at most {MAX_LISTED} versions, not {len(versions)}")
    if max(versions, default=0) > LAST_VERSION:
        raise InvalidMetadata(path, f"must be at most {LAST_VERSION}, not {max(versions)}")
    return versions


def _share(value: Any, path: str) -> float:
    share = number(value, path)
    if not 0 <= share <= 1:
        raise InvalidMetadata(path, f"must be from 0 to 1, not {share:g}")
    return share


@json_object
class Share:
    """A part of the requests, from 0 to 1, for a version, which is None for the newest that is ready."""

    share: float = member(_share)
    version: int | None = member(integer(1, LAST_VERSION), default=None)


@json_object
class ModelPolicy:
    """How one model is served.

    `default` answers requests that name no version; None means the newest, or the newest before the canary. The
    `canary` answers a share of those requests itself; the `shadow` gets copies of a share, and its responses are
    discarded.
    """

    versions: Versions = member(_versions)
    default: int | None = member(integer(1, LAST_VERSION), default=None)
    canary: Share | None = member(record(Share, only_known=True), default=None)
    shadow: Share | None = member(record(Share, only_known=True), default=None)

    @property
    def named(self) -> set[int]:
        """The versions that must be loaded, however many newer ones there are."""
        listed = set() if isinstance(self.versions, int) else set(self.versions)
        shares = {each.version for each in (self.canary, self.shadow) if each}
        return {version for version in (*listed, self.default, *shares) if version is not None}


@dataclass(frozen=True)
class ServingPolicy:
    """The policies of the models that have one, and the versions of all other models."""

    versions: Versions
    models: Mapping[str, ModelPolicy] = field(default_factory=dict)

    def of(self, name: str) -> ModelPolicy:
        """The policy of a model."""
        return self.models.get(name, ModelPolicy(self.versions))


def read_policy(repository: ModelRepository, versions: Versions) -> ServingPolicy:
    """Read the repository's `serving.json`, if there is one; `versions` is the default where it names none.

    Raises InvalidPolicy, which names the first member that is wrong, or OSError.
    """
    try:
        content = read_file(repository.root, SERVING, MAX_POLICY)
    except FileNotFoundError as error:
        if (repository.root / SERVING).is_symlink():
            raise InvalidPolicy(f"{SERVING} is a link to nothing") from error
        if not repository.root.is_dir():
            raise
        return ServingPolicy(versions)
    except CorruptBundle as error:
        raise InvalidPolicy(str(error)) from error
    try:
        return _parse_policy(parse_json(content.decode()), versions)
    except InvalidMetadata as error:
        raise InvalidPolicy(f"{SERVING}: {error.field}: {error.problem}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidPolicy(f"{SERVING} is not JSON: {error}") from error


@json_object
class _Document:
    versions: Versions = member(_versions)
    models: JsonObject = member(any_object)


def _parse_policy(document: Any, versions: Versions) -> ServingPolicy:
    given = record(_Document, {"versions": versions, "models": {}}, only_known=True)(document, "")
    model = record(ModelPolicy, {"versions": given.versions}, only_known=True)
    return ServingPolicy(given.versions, mapping(model)(given.models, "models"))

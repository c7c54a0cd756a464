"""`serving.json` at the root of a repository: which versions are loaded, and which of them answers.

`{"versions": 2, "models": {"mnist": {"versions": [1, 2], "default": 1, "canary": {"version": 2, "share": 0.1}}}}`

Every member is optional. `versions` is how many of the newest, or a list; beside `models` it is for all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from modelrepo.errors import InvalidMetadata, InvalidPolicy
from modelrepo.fields import Fields, parse_json
from modelrepo.naming import LAST_VERSION
from modelrepo.repository import ModelRepository

SERVING = "serving.json"

Versions = int | tuple[int, ...]  # so many of the newest, or these


@dataclass(frozen=True)
class Share:
    """A part of the requests, from 0 to 1, for a version, which is None for the newest that is ready."""

    share: float
    version: int | None = None


@dataclass(frozen=True)
class ModelPolicy:
    """How one model is served.

    `default` answers requests that name no version; None means the newest, or the newest before the canary. The
    `canary` answers a share of those requests itself; the `shadow` gets copies of a share, and nobody sees its answers.
    """

    versions: Versions
    default: int | None = None
    canary: Share | None = None
    shadow: Share | None = None

    @property
    def named(self) -> set[int]:
        """The versions that must be loaded, however many newer ones there are."""
        listed = set() if isinstance(self.versions, int) else set(self.versions)
        shares = {each.version for each in (self.canary, self.shadow) if each}
        return {version for version in (*listed, self.default, *shares) if version is not None}


@dataclass(frozen=True)
class ServingPolicy:
    """The policies of the models that have one, and what holds for the others."""

    versions: Versions
    models: Mapping[str, ModelPolicy] = field(default_factory=dict)

    def of(self, name: str) -> ModelPolicy:
        """The policy of a model."""
        return self.models.get(name, ModelPolicy(self.versions))


def read_policy(repository: ModelRepository, versions: Versions) -> ServingPolicy:
    """Read the repository's `serving.json`, if there is one; `versions` holds where it says nothing.

    Raises InvalidPolicy, which names the first member that is wrong, or OSError.
    """
    try:
        text = (repository.root / SERVING).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ServingPolicy(versions)
    try:
        return _policy(Fields(parse_json(text)), versions)
    except InvalidMetadata as error:
        raise InvalidPolicy(f"{SERVING}: {error.field}: {error.problem}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidPolicy(f"{SERVING} is not JSON: {error}") from error


def _policy(fields: Fields, versions: Versions) -> ServingPolicy:
    fields.only("versions", "models")
    versions = _versions(fields, versions)
    models = fields.optional("models", lambda name: _models(fields.inner(name), versions))
    return ServingPolicy(versions, models or {})


def _models(fields: Fields, versions: Versions) -> dict[str, ModelPolicy]:
    return {name: _model(fields.inner(name), versions) for name in fields.names()}


def _model(fields: Fields, versions: Versions) -> ModelPolicy:
    fields.only("versions", "default", "canary", "shadow")
    return ModelPolicy(
        versions=_versions(fields, versions),
        default=fields.optional("default", partial(_version, fields)),
        canary=fields.optional("canary", lambda name: _share(fields.inner(name))),
        shadow=fields.optional("shadow", lambda name: _share(fields.inner(name))),
    )


def _versions(fields: Fields, otherwise: Versions) -> Versions:
    given = fields.optional("versions", fields.value)
    if given is None:
        return otherwise
    if not isinstance(given, list):
        return fields.integer("versions", 1)
    listed = fields.integers("versions", 1)
    if max(listed, default=0) > LAST_VERSION:
        raise fields.invalid("versions", f"must be at most {LAST_VERSION}, not {max(listed)}")
    return listed


def _share(fields: Fields) -> Share:
    fields.only("share", "version")
    share = fields.number("share")
    if not 0 <= share <= 1:
        raise fields.invalid("share", f"must be from 0 to 1, not {share:g}")
    return Share(share, fields.optional("version", partial(_version, fields)))


def _version(fields: Fields, name: str) -> int:
    version = fields.integer(name, 1)
    if version > LAST_VERSION:
        raise fields.invalid(name, f"must be at most {LAST_VERSION}, not {version}")
    return version

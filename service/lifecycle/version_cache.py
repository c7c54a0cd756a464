"""Which versions of a model are loaded.

What this process has loaded and refused, each bundle tried once until its files change.
"""

import hashlib
import time
from collections.abc import Callable, Container, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from modelrepo.policy import ModelPolicy, ServingPolicy
from modelrepo.repository import ModelRepository
from service.inference.model_version import LoadedVersion
from service.lifecycle.bundle_loader import Opener, load_version
from service.lifecycle.crash_guard import CrashGuard
from service.lifecycle.snapshot import Fingerprint, Snapshot, take_fingerprint

Load = Callable[[int], LoadedVersion | None]  # a version's number; None while its bundle is being written


def select(versions: Sequence[int], policy: ModelPolicy, load: Load) -> list[LoadedVersion]:
    """Load what the policy names, and of `versions`, the newest first, so many that enough are ready.

    A newest version that is refused thus pushes no good one out.
    """
    tried = {version: load(version) for version in sorted(policy.named)}
    wanted = policy.versions if isinstance(policy.versions, int) else 0
    ready = 0
    for version in versions:
        if ready == wanted:
            break
        if version not in tried:
            tried[version] = load(version)
        ready += _is_ready(tried[version])
    return [each for each in tried.values() if each]


def _is_ready(loaded: LoadedVersion | None) -> bool:
    return loaded is not None and loaded.predictor is not None


Key = tuple[str, int]  # a model's name and a version's number

NOTHING: Fingerprint = ()  # of a bundle that a policy names and the repository does not have

DEADLY = "workers died while they loaded it: look into the log for why, then load it again or change its files"
CHANGED = "its files changed while they were read: write bundles beside the repository and rename them"
UNLOADED = "it was unloaded; POST /v2/repository/models/{}/load brings it back"


@dataclass(frozen=True)
class Attempt:
    """One bundle that was tried: what came of it, and in how many seconds."""

    outcome: LoadedVersion
    seconds: float


@dataclass(frozen=True)
class Held:
    """What came of a bundle when its files looked like this; None: try again."""

    fingerprint: Fingerprint | None
    loaded: LoadedVersion


class VersionCache:
    """Loads what a snapshot of the repository holds and the policy wants."""

    def __init__(self, repository: ModelRepository, open_bundle: Opener, guard: CrashGuard) -> None:
        self._repository = repository
        self._open_bundle = open_bundle
        self._guard = guard
        self._held: dict[Key, Held] = {}
        self._orders: dict[str, int] = {}
        self._attempts: list[Attempt] = []

    def load(
        self, snapshot: Snapshot, policy: ServingPolicy, unloaded: Container[str], unsettled: Container[Key]
    ) -> list[LoadedVersion]:
        """All versions that are served or refused now; what is no longer wanted is let go.

        Bundles in `unsettled` are being written: what was loaded of them before goes on.
        """
        found: list[LoadedVersion] = []
        for name in snapshot.names():
            if name in unloaded:
                found += [LoadedVersion(name, snapshot.versions(name)[0], None, UNLOADED.format(name))]
            else:
                found += self._load_model(name, snapshot, policy, unsettled)
        selected = {(each.name, each.version) for each in found}
        self._held = {key: held for key, held in self._held.items() if key in selected and key[0] not in unloaded}
        return found

    def retry(self, name: str, order: int) -> None:
        """Try the refused bundles of a model again for this order, whatever they did before it."""
        self._orders[name] = order
        for key, held in self._held.items():
            if key[0] == name and held.loaded.failure:
                self._held[key] = replace(held, fingerprint=None)

    def fingerprints(self) -> list[tuple[Key, Fingerprint | None]]:
        """What the bundles looked like that are served or refused now, by model and version."""
        return sorted((key, held.fingerprint) for key, held in self._held.items())

    def attempts(self) -> list[Attempt]:
        """The bundles that were tried since the last time this was asked."""
        attempts, self._attempts = self._attempts, []
        return attempts

    def _load_model(
        self, name: str, snapshot: Snapshot, policy: ServingPolicy, unsettled: Container[Key]
    ) -> list[LoadedVersion]:
        def load(version: int) -> LoadedVersion | None:
            key = (name, version)
            fingerprint = snapshot.bundles.get(key, NOTHING)
            if fingerprint == NOTHING and self._was_there(key):
                del self._held[key]
            return self._load(key, fingerprint, settled=key not in unsettled)

        return select(snapshot.versions(name), policy.of(name), load)

    def _was_there(self, key: Key) -> bool:
        return key in self._held and self._held[key].fingerprint != NOTHING

    def _load(self, key: Key, fingerprint: Fingerprint, *, settled: bool) -> LoadedVersion | None:
        held = self._held.get(key)
        if held and held.fingerprint == fingerprint:
            return held.loaded
        if not settled:
            return held.loaded if held else None
        loaded = self._try(key, fingerprint)
        if held and loaded.failure:  # the old one goes on
            loaded = replace(held.loaded, reason=loaded.reason, failure=loaded.failure)
        self._held[key] = Held(fingerprint, loaded)
        return loaded

    def _try(self, key: Key, fingerprint: Fingerprint) -> LoadedVersion:
        wanted = (fingerprint, self._orders.get(key[0]))
        digest = hashlib.sha256(repr(wanted).encode()).hexdigest()
        guarded = self._guard.loading("/".join(map(str, key)), digest)
        with guarded if fingerprint else nullcontext(True) as allowed:  # nobody can die of nothing
            started = time.monotonic()
            if allowed:
                loaded = load_version(self._repository, *key, self._open_bundle)
            else:
                loaded = LoadedVersion(*key, None, DEADLY, "deadly")
        if loaded.predictor and take_fingerprint(self._repository.path(*key)) != fingerprint:
            loaded = replace(loaded, predictor=None, reason=CHANGED, failure="corrupt")
        self._attempts.append(Attempt(loaded, time.monotonic() - started))
        return loaded

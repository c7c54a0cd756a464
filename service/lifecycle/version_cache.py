"""The version cache: what this process has loaded or failed to load, each bundle tried once until its files change."""

import hashlib
import time
from collections.abc import Container
from contextlib import nullcontext
from dataclasses import dataclass, replace

from modelrepo.policy import ModelPolicy, ServingPolicy
from modelrepo.repository import ModelRepository
from service.inference.model_version import FailedVersion, LoadedVersion, ModelVersion, UnloadedVersion
from service.lifecycle.bundle_loader import Opener, load_version
from service.lifecycle.crash_guard import CrashGuard
from service.lifecycle.model_control import ControlState
from service.lifecycle.snapshot import Fingerprint, Key, Snapshot, take_fingerprint

TriedVersion = LoadedVersion | FailedVersion

MISSING: Fingerprint = ()  # of a bundle that a policy names and the repository does not have

CRASHED = "workers died while they loaded it: look into the log for why, then load it again or change its files"
CHANGED = "its files changed while they were read: write bundles beside the repository and rename them"


@dataclass(frozen=True)
class LoadAttempt:
    """The result of loading one bundle, and in how many seconds."""

    version: TriedVersion
    seconds: float


@dataclass(frozen=True)
class CacheEntry:
    """The result of loading a bundle whose files had this fingerprint; without one it is to be tried again."""

    fingerprint: Fingerprint | None
    version: TriedVersion


class VersionCache:
    """Loads the versions that the policy asks for from the bundles of a snapshot."""

    def __init__(self, repository: ModelRepository, opener: Opener, guard: CrashGuard) -> None:
        self._repository = repository
        self._opener = opener
        self._guard = guard
        self._entries: dict[Key, CacheEntry] = {}
        self._control = ControlState()
        self._attempts: list[LoadAttempt] = []

    def load(
        self, snapshot: Snapshot, policy: ServingPolicy, control: ControlState, unsettled: Container[Key]
    ) -> list[ModelVersion]:
        """All versions that are to be served, and those that failed to load; the others are released.

        A model that was to be loaded since the last call has its failed versions tried again. Bundles in `unsettled`
        are being written: of these, what was loaded before is kept.
        """
        self._forget_failures(control.loads_since(self._control.generation))
        self._control = control
        versions: list[ModelVersion] = []
        for name, newest_first in snapshot.models.items():
            if name in control.unloaded:
                versions.append(UnloadedVersion(name, newest_first[0]))
            else:
                versions += self._load_model(name, snapshot, policy.of(name), unsettled)
        kept = {(each.name, each.version) for each in versions if not isinstance(each, UnloadedVersion)}
        self._entries = {key: entry for key, entry in self._entries.items() if key in kept}
        return versions

    def fingerprints(self) -> list[tuple[Key, Fingerprint | None]]:
        """The fingerprints of the bundles that are held, by model and version."""
        return sorted((key, entry.fingerprint) for key, entry in self._entries.items())

    def take_attempts(self) -> list[LoadAttempt]:
        """The bundles that were tried since the last call."""
        attempts, self._attempts = self._attempts, []
        return attempts

    def _forget_failures(self, names: Container[str]) -> None:
        for key, entry in self._entries.items():
            if key[0] in names and entry.version.failure:
                self._entries[key] = replace(entry, fingerprint=None)

    def _load_model(
        self, name: str, snapshot: Snapshot, policy: ModelPolicy, unsettled: Container[Key]
    ) -> list[TriedVersion]:
        """Load the versions that the policy names, and the newest ones until as many as it asks for are loaded.

        A newest version that fails thus pushes no good one out.
        """

        def load(version: int) -> TriedVersion | None:
            key = (name, version)
            return self._load(key, snapshot.bundles.get(key, MISSING), is_settled=key not in unsettled)

        tried = {version: load(version) for version in sorted(policy.named)}
        wanted = policy.versions if isinstance(policy.versions, int) else 0
        loaded = 0
        for version in snapshot.models[name]:
            if loaded == wanted:
                break
            if version not in tried:
                tried[version] = load(version)
            loaded += isinstance(tried[version], LoadedVersion)
        versions = [each for each in tried.values() if each]
        if None in tried.values() and not any(isinstance(each, LoadedVersion) for each in versions):
            versions += self._loaded(name)  # until what takes their place is loaded
        return versions

    def _loaded(self, name: str) -> list[TriedVersion]:
        """The versions of a model that are held and loaded."""
        held = [entry.version for key, entry in self._entries.items() if key[0] == name]
        return [version for version in held if isinstance(version, LoadedVersion)]

    def _load(self, key: Key, fingerprint: Fingerprint, *, is_settled: bool) -> TriedVersion | None:
        """The version as it is held or else loaded now; None while its bundle is written for the first time."""
        entry = self._entries.get(key)
        if entry and entry.fingerprint == fingerprint:
            return entry.version
        if entry and fingerprint == MISSING:  # the bundle has been removed, so its version is not served on
            entry = None
        if not is_settled:
            return entry.version if entry else None
        version = self._try(key, fingerprint)
        if entry and isinstance(entry.version, LoadedVersion) and isinstance(version, FailedVersion):
            version = replace(entry.version, reason=version.reason, failure=version.failure)
        self._entries[key] = CacheEntry(fingerprint, version)
        return version

    def _try(self, key: Key, fingerprint: Fingerprint) -> TriedVersion:
        """Load a bundle, unless it has crashed workers, and check that its files are the same afterwards."""
        wanted = (fingerprint, self._control.loads.get(key[0]))
        digest = hashlib.sha256(repr(wanted).encode()).hexdigest()
        guarded = self._guard.loading("/".join(map(str, key)), digest)
        version: TriedVersion
        with guarded if fingerprint else nullcontext(True) as is_allowed:  # a missing bundle crashes no process
            started = time.monotonic()
            if is_allowed:
                version = load_version(self._repository, *key, self._opener)
            else:
                version = FailedVersion(*key, CRASHED, "deadly")
        is_loaded = isinstance(version, LoadedVersion)
        if is_loaded and take_fingerprint(self._repository.path(*key)) != fingerprint:
            version = FailedVersion(*key, CHANGED, "corrupt")
        self._attempts.append(LoadAttempt(version, time.monotonic() - started))
        return version

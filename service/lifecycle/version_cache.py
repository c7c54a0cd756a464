"""The version cache: what this process has loaded or failed to load, each bundle once until its files change.

A bundle whose files are new has to pass a trial first; until then its version is pending.
"""

import time
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from modelrepo.policy import ModelPolicy, ServingPolicy, Versions
from modelrepo.repository import ModelRepository
from service.inference.model_version import FailedVersion, LoadedVersion, ModelVersion, PendingVersion, UnloadedVersion
from service.lifecycle.bundle_loader import CHANGED, Opener, load_version
from service.lifecycle.model_control import ControlState
from service.lifecycle.snapshot import Fingerprint, Key, Snapshot, take_fingerprint
from service.lifecycle.trial_journal import LONG, PASSED, SLOW, TrialRecord
from service.lifecycle.trials import Trials

TriedVersion = LoadedVersion | FailedVersion
KnownVersion = TriedVersion | PendingVersion

MISSING: Fingerprint = ()  # of a bundle that a policy names and the repository does not have


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

    def __init__(self, repository: ModelRepository, opener: Opener, trials: Trials) -> None:
        self._repository = repository
        self._opener = opener
        self._trials = trials
        self.has_results = trials.have_changed  # since the last call of `load`
        self.is_settled = True  # whether no bundle was left for the next call of `load`
        self._unloaded: dict[str, set[int]] = {}  # the versions of each unloaded model that were known before
        self._pending: dict[Key, TrialRecord] = {}
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
        if control.generation != self._control.generation:
            self._forget_failures(control.loads_since(self._control.generation))
        self._control = control
        was_pending, self._pending = bool(self._pending), {}
        self.is_settled = True
        self._trials.begin()
        versions: list[ModelVersion] = []
        for name, newest_first in snapshot.models.items():
            model_policy = policy.of(name)
            if name in control.unloaded:
                versions += self._unload_model(name, newest_first, model_policy)
            else:
                self._unloaded.pop(name, None)
                versions += self._load_model(name, snapshot, model_policy.versions, model_policy.named, unsettled)
        kept = {(each.name, each.version) for each in versions if not isinstance(each, UnloadedVersion)}
        self._entries = {key: entry for key, entry in self._entries.items() if key in kept}
        if self._pending or was_pending:
            self._trials.end()
        return versions

    @property
    def is_waiting(self) -> bool:
        """Whether the trial of a bundle may soon be over: it has not run for long yet."""
        return any(record.ran < LONG for record in self._pending.values())

    def close(self) -> None:
        """Have no more bundles tried."""
        self._trials.close()

    def fingerprints(self) -> list[tuple[Key, Fingerprint | None]]:
        """The fingerprints of the bundles that are held, by model and version."""
        return sorted((key, entry.fingerprint) for key, entry in self._entries.items())

    def loaded_fingerprints(self) -> list[tuple[Key, Fingerprint | None]]:
        """The same for those that have a loaded version."""
        return [each for each in self.fingerprints() if isinstance(self._entries[each[0]].version, LoadedVersion)]

    def slow(self) -> list[Key]:
        """The bundles whose trials take long; what is over in a moment need not be reported."""
        return sorted(key for key, record in self._pending.items() if record.ran >= SLOW)

    def take_attempts(self) -> list[LoadAttempt]:
        """The bundles that were tried since the last call."""
        attempts, self._attempts = self._attempts, []
        return attempts

    def _forget_failures(self, names: Container[str]) -> None:
        for key, entry in self._entries.items():
            if key[0] in names and entry.version.failure:
                self._entries[key] = replace(entry, fingerprint=None)

    def _unload_model(self, name: str, newest_first: Sequence[int], policy: ModelPolicy) -> list[UnloadedVersion]:
        """The versions that were known before the model was unloaded, and newer ones.

        Where it was never loaded here, as in a worker that started later, those that would be loaded if all are good.
        """
        known = {version for model, version in self._entries if model == name} or self._unloaded.get(name)
        if not known:
            known = policy.named.union(newest_first[: policy.versions] if isinstance(policy.versions, int) else ())
        self._unloaded[name] = known
        newest = max(known, default=0)
        return [UnloadedVersion(name, each) for each in newest_first if each in known or each > newest]

    def _load_model(
        self, name: str, snapshot: Snapshot, wanted: Versions, named: set[int], unsettled: Container[Key]
    ) -> list[KnownVersion]:
        """Load the versions that the policy names, and the newest ones until `wanted` of them are loaded.

        A newest version that fails, or whose trial does not end, thus pushes no good one out. Older ones are tried
        beside it once it is slow: the more of them are no good, the more at a time.
        """

        def load(version: int) -> KnownVersion | None:
            key = (name, version)
            return self._load(key, snapshot.bundles.get(key, MISSING), is_settled=key not in unsettled)

        tried = {version: load(version) for version in sorted(named)}
        wanted = wanted if isinstance(wanted, int) else 0
        loaded = hopeful = hopeless = 0
        for version in snapshot.models[name]:
            if loaded == wanted:
                break
            key = (name, version)
            if version not in tried:
                if loaded + hopeful >= wanted + hopeless and not self._is_known(key, snapshot):
                    continue
                tried[version] = load(version)
            loaded += isinstance(tried[version], LoadedVersion)
            is_hopeful = key in self._pending and self._pending[key].ran < SLOW
            hopeful += is_hopeful
            hopeless += not is_hopeful and not isinstance(tried[version], LoadedVersion)
        versions = [each for each in tried.values() if each]
        is_awaited = any(each is None or isinstance(each, PendingVersion) for each in tried.values())
        if is_awaited and not any(isinstance(each, LoadedVersion) for each in versions):
            versions += self._loaded(name)  # until what takes their place is loaded
        return versions

    def _loaded(self, name: str) -> list[TriedVersion]:
        """The versions of a model that are held and loaded."""
        held = [entry.version for key, entry in self._entries.items() if key[0] == name]
        return [version for version in held if isinstance(version, LoadedVersion)]

    def _is_known(self, key: Key, snapshot: Snapshot) -> bool:
        """Whether it is held, or is known to pass or fail, so that no trial is needed."""
        if key in self._entries:
            return True
        return self._trials.knows(key) and self._trials.is_over(key, snapshot.bundles[key], self._request(key))

    def _request(self, key: Key) -> int:
        """The generation of the last request to load the model."""
        return self._control.loads.get(key[0], 0)

    def _load(self, key: Key, fingerprint: Fingerprint, *, is_settled: bool) -> KnownVersion | None:
        """The version as it is held or else loaded now; None while its bundle is written for the first time."""
        entry = self._entries.get(key)
        if entry and entry.fingerprint == fingerprint:
            return entry.version
        if entry and fingerprint == MISSING:  # the bundle has been removed, so its version is not served on
            entry = None
        if not is_settled:
            self.is_settled = False
            return entry.version if entry else None
        loaded = entry.version if entry and isinstance(entry.version, LoadedVersion) else None
        if fingerprint == MISSING:  # which needs no trial
            trial = PASSED
        else:
            trial = self._trials.result(key, fingerprint, self._request(key), is_urgent=self._has_loaded(key[0]))
        if not trial.is_over:
            self._pending[key] = trial
            if loaded:
                return replace(loaded, loading_since=trial.since)
            return PendingVersion(*key, trial.since)
        version = self._try(key, fingerprint, trial)
        if entry and isinstance(entry.version, LoadedVersion) and isinstance(version, FailedVersion):
            version = replace(entry.version, reason=version.reason, failure=version.failure)
        self._entries[key] = CacheEntry(fingerprint, version)
        return version

    def _has_loaded(self, name: str) -> bool:
        return any(key[0] == name and isinstance(each.version, LoadedVersion) for key, each in self._entries.items())

    def _try(self, key: Key, fingerprint: Fingerprint, trial: TrialRecord) -> TriedVersion:
        """Load a bundle that has passed its trial, and check that its files are the same afterwards."""
        started = time.monotonic()
        version: TriedVersion
        if trial.failure:
            version = FailedVersion(*key, trial.reason, trial.failure)
        else:
            version = load_version(self._repository, *key, self._opener, is_verified=bool(trial.files))
        is_loaded = isinstance(version, LoadedVersion)
        if is_loaded and take_fingerprint(self._repository.path(*key)) != fingerprint:
            version = FailedVersion(*key, CHANGED, "corrupt")
        self._attempts.append(LoadAttempt(version, time.monotonic() - started))
        return version

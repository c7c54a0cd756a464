"""What is to be served, from the repository, its policy and the operators' orders; loaded as soon as it is planned."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from modelrepo.errors import InvalidPolicy
from modelrepo.policy import SERVING, ServingPolicy, Versions, read_policy
from modelrepo.repository import ModelRepository
from service.inference.model_version import LoadedVersion
from service.ipc.workspace import atomic_write
from service.lifecycle.model_control import ControlState
from service.lifecycle.required_models import RequiredModels
from service.lifecycle.snapshot import Snapshot, take_snapshot
from service.lifecycle.version_cache import Attempt, Key, VersionCache


@dataclass(frozen=True)
class Plan:
    """What is to be served from now on, everything loaded.

    `digest` is the same in all workers that are to serve the same; `order` is the last one it follows. `attempts` are
    the bundles that were tried for it, `problems` what cannot be followed, by what it is about: `<name>/` for a model.
    The service is not ready without a version of each `required` model.
    """

    digest: str
    order: int
    versions: list[LoadedVersion]
    policy: ServingPolicy
    attempts: list[Attempt]
    problems: dict[str, str]
    required: frozenset[str]


class Planner:
    """One worker's, used by one thread at a time."""

    def __init__(self, repository: ModelRepository, versions: Versions, loader: VersionCache, shared: Path) -> None:
        """`shared` is the folder in which workers keep what those that come after them cannot see any more."""
        self._repository = repository
        self._followed = ModelRepository(shared)
        self._requirements = RequiredModels(shared)
        self._versions = versions
        self._loader = loader
        self._snapshot = Snapshot({})
        self._policy = ServingPolicy(versions)
        self._order = 0
        self._problems: dict[str, str] = {}

    def start(self, book: ControlState) -> Plan:
        """The first plan, of all that is there now."""
        self._policy = read_policy(self._followed, self._versions)
        self._look_around(None)
        self._requirements.begin(self._snapshot.names())
        return self._make(book, set())

    def follow(self, book: ControlState) -> Plan:
        """The plan for the repository as it is now. A bundle that has just changed is left for the next look."""
        before = self._snapshot.bundles
        self._look_around(None)
        ordered = book.since(self._order)
        changed = {key for key, fingerprint in self._snapshot.bundles.items() if before.get(key) != fingerprint}
        return self._make(book, {key for key in changed if key[0] not in ordered})

    def obey(self, book: ControlState) -> Plan:
        """The plan for new orders alone: only the models that they are about are looked at."""
        self._look_around(book.since(self._order))
        return self._make(book, set())

    def _make(self, book: ControlState, unsettled: set[Key]) -> Plan:
        for name in book.since(self._order):
            self._loader.retry(name, book.loads[name])
        self._order = book.last
        versions = self._loader.load(self._snapshot, self._policy, book.unloaded, unsettled)
        bundles = self._loader.fingerprints()
        inputs = repr((bundles, self._policy, sorted(book.unloaded), book.last, self._problems))
        digest = hashlib.sha256(inputs.encode()).hexdigest()
        required = self._requirements.add(each.name for each in versions if each.predictor)
        return Plan(digest, book.last, versions, self._policy, self._loader.attempts(), self._problems, required)

    def _look_around(self, names: set[str] | None) -> None:
        """Look at the models of these names, or at all; what cannot be looked at is served as before."""
        before, self._problems = self._snapshot, {}
        try:
            now = take_snapshot(self._repository)
            self._snapshot = _merge(before, now, names)
            self._problems |= {f"{name}/": reason for name, reason in now.unreadable.items()}
            self._follow_policy(read_policy(self._repository, self._versions))
        except InvalidPolicy as error:
            self._problems["serving.json"] = str(error)
        except OSError as error:
            self._problems["repository"] = f"cannot be read: {error}"

    def _follow_policy(self, policy: ServingPolicy) -> None:
        if policy != self._policy:
            atomic_write(self._followed.root / SERVING, json.dumps(asdict(policy)))
        self._policy = policy


def _merge(before: Snapshot, now: Snapshot, names: set[str] | None) -> Snapshot:
    """What is there now of the models of these names, or of all; of the others, and where it cannot be told, before."""

    def is_seen(name: str) -> bool:
        return name not in now.unreadable and (names is None or name in names)

    kept = {key: files for key, files in before.bundles.items() if not is_seen(key[0])}
    return Snapshot({**kept, **{key: files for key, files in now.bundles.items() if is_seen(key[0])}})

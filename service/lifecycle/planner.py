"""The planner: what is to be served, by the repository, its policy and the model control, and already loaded."""

import hashlib
import json
import logging
import time
from collections.abc import Container, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from modelrepo.errors import InvalidPolicy
from modelrepo.policy import SERVING, ServingPolicy, Versions, read_policy
from modelrepo.repository import ModelRepository
from service.errors import public_text
from service.inference.model_version import LoadedVersion, ModelVersion
from service.inference.registry import NO_PROBLEMS, RepositoryProblems
from service.ipc.worker_warnings import WorkerWarnings
from service.ipc.workspace import try_write
from service.lifecycle.model_control import ControlState
from service.lifecycle.snapshot import FollowedRepository, Key, Unsettled
from service.lifecycle.version_cache import LoadAttempt, VersionCache

SLOW_READ = 10.0  # seconds after which reading the repository's folders is reported
UNRESPONSIVE = "it is being read, and its disk does not respond"

logger = logging.getLogger("convserve")


@dataclass(frozen=True)
class Plan:
    """What is to be served from now on, everything loaded.

    `digest` is the same in all workers that are to serve the same and know the same; `served_digest` is of what is
    loaded alone: on this the workers agree before they serve it, whatever failed, is still being tried or cannot be
    read. `generation`
    is that of the model control that it follows. `attempts` are the bundles that were tried for it. The service is not
    ready without a version of each `required` model.
    """

    digest: str
    generation: int
    versions: list[ModelVersion]
    policy: ServingPolicy
    attempts: list[LoadAttempt]
    problems: RepositoryProblems
    required: frozenset[str]
    served_digest: str = ""


class Planner:
    """One worker's planner, used by one thread at a time."""

    def __init__(
        self,
        repository: ModelRepository,
        versions: Versions,
        cache: VersionCache,
        shared: Path,
        warnings: WorkerWarnings | None = None,
    ) -> None:
        """`shared` is the folder of all workers, for what those that start later cannot see any more.

        There is a warning where it cannot be written.
        """
        self._warnings = warnings or WorkerWarnings()
        self._repository = repository
        self._versions = versions
        self._cache = cache
        self.has_results = cache.has_results  # of trials, since the last plan
        self._required = RequiredModels(shared, self._warnings)
        self._policy_in_effect = ModelRepository(shared)
        self._policy = ServingPolicy(versions)
        self._is_policy_shared = True
        self._followed = FollowedRepository(repository)
        self._seconds = 0.0
        self._problems = NO_PROBLEMS
        self._generation = 0
        self._plan: Plan | None = None
        self._unsettled: Container[Key] = ()

    def start(self, control: ControlState) -> Plan:
        """The first plan, of all that is there now."""
        with suppress(InvalidPolicy, OSError):
            self._policy = read_policy(self._policy_in_effect, self._versions)
        self._read_repository()
        self._required.begin(self._followed.snapshot.models)
        return self._make_plan(control, set())

    def follow(self, control: ControlState) -> Plan:
        """The plan for the repository as it is now; the same as before where nothing has changed.

        A bundle that has changed since the last call is left for the next one, unless its model is to be loaded.
        """
        before, others = self._followed.snapshot, (self._problems, self._policy)
        self._read_repository()
        is_same = control.generation == self._generation and others == (self._problems, self._policy)
        if is_same and self._plan and self._cache.is_settled and not self.has_results():
            self._required.add(())  # once more where it could not be written
            if self._followed.snapshot.is_unchanged(before):
                return self._plan
        requested = control.loads_since(self._generation) if control.generation != self._generation else ()
        return self._make_plan(control, Unsettled(before.bundles, self._followed.snapshot.bundles, requested))

    def apply(self, control: ControlState) -> Plan:
        """The plan for new control requests alone: of the repository, only the models to be loaded are read."""
        self._read_repository(control.loads_since(self._generation))
        return self._make_plan(control, set())

    def resume(self, control: ControlState) -> Plan:
        """The plan for what was read before, with the results of trials since."""
        return self._make_plan(control, self._unsettled)

    @property
    def pause(self) -> float:
        """Seconds to leave the repository alone, so that looking at it takes at most 1 % of a CPU's time."""
        return 100 * (self._seconds + self._followed.snapshot.bundles.seconds)

    @property
    def is_waiting(self) -> bool:
        """Whether the trial of a bundle may soon be over."""
        return self._cache.is_waiting

    def close(self) -> None:
        """Have no more bundles tried."""
        self._cache.close()

    def _make_plan(self, control: ControlState, unsettled: Container[Key]) -> Plan:
        self._generation = control.generation
        self._unsettled = unsettled
        self._plan = None
        versions = self._cache.load(self._followed.snapshot, self._policy, control, unsettled)
        common = (self._policy, sorted(control.unloaded), control.generation)
        held, slow, loaded = self._cache.fingerprints(), self._cache.slow(), self._cache.loaded_fingerprints()
        attempts = self._cache.take_attempts()
        digest, served_digest = _digest(held, slow, self._problems, *common), _digest(loaded, *common)
        required = self._required.add({each.name for each in versions if isinstance(each, LoadedVersion)})
        self._plan = Plan(
            digest, control.generation, versions, self._policy, attempts, self._problems, required, served_digest
        )
        return self._plan

    def _read_repository(self, names: Container[str] | None = None) -> None:
        """Read the folders of these models, or of all, and the policy; what cannot be read stays as it was."""
        started = time.thread_time()
        problems = NO_PROBLEMS
        try:
            with self._warnings.if_longer_than(SLOW_READ, "repository", UNRESPONSIVE):
                if self._followed.read(names, self._required.names):
                    self._adopt_policy(read_policy(self._repository, self._versions))
        except InvalidPolicy as error:
            none = "; no policy is followed" if self._policy == ServingPolicy(self._versions) else ""
            problems = RepositoryProblems(policy=public_text(error) + none)
        except OSError as error:
            problems = RepositoryProblems(repository=f"cannot be read: {public_text(error)}")
        self._report(replace(problems, models=self._followed.unreadable))
        self._seconds = time.thread_time() - started

    def _report(self, problems: RepositoryProblems) -> None:
        """Keep the problems for the next plan; the log has those that are new, and which are over."""
        if problems == self._problems:
            return
        before, now = self._problems.by_subject(), problems.by_subject()
        for subject in now.keys() - before.keys():
            logger.warning("%s %s; what was served before is served on", subject, now[subject])
        for subject in before.keys() - now.keys():
            logger.warning("%s can be read again", subject)
        self._problems = problems

    def _adopt_policy(self, policy: ServingPolicy) -> None:
        """Follow a policy, and leave it for workers that start while `serving.json` is broken."""
        if policy != self._policy or not self._is_policy_shared:
            file = self._policy_in_effect.root / SERVING
            self._is_policy_shared = try_write(file, json.dumps(asdict(policy)), self._warnings)
        self._policy = policy


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


class RequiredModels:
    """The models without which the service is not ready: those that it started with, and all that it has served since.

    A model that comes later and has never loaded is not required: no client uses it yet, and a mistake in one folder
    must not make a whole fleet unready. Workers share the names, in a file, with those that start after them.
    """

    def __init__(self, folder: Path, warnings: WorkerWarnings | None = None) -> None:
        self._file = folder / "required.json"
        self._warnings = warnings or WorkerWarnings()
        self._is_shared = True
        self._is_first, self.names = self._read()

    def begin(self, names: Iterable[str]) -> None:
        """Require what workers before this one wrote; the first of all workers writes these `names`."""
        if self._is_first:
            self._write(frozenset(names))

    def add(self, served: Iterable[str]) -> frozenset[str]:
        """All names, with those of the models that are served now."""
        names = self.names.union(served)
        if names != self.names or not self._is_shared:
            self._write(names)
        return self.names

    def _read(self) -> tuple[bool, frozenset[str]]:
        """Whether there are no names yet, and those that there are."""
        try:
            return False, frozenset(json.loads(self._file.read_text()))
        except (OSError, ValueError):
            return True, frozenset()

    def _write(self, names: frozenset[str]) -> None:
        self.names = names
        self._is_shared = try_write(self._file, json.dumps(sorted(names)), self._warnings)

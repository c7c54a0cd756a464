"""Which versions of a model are loaded."""

from collections.abc import Callable, Sequence

from modelrepo.policy import ModelPolicy
from service.loadedversion import LoadedVersion

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

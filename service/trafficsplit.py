"""Which versions of a model answer the requests that name none."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from modelrepo.policy import ModelPolicy, Share
from service.predictor import Predictor


@dataclass(frozen=True)
class Part:
    """A version and the share of the requests, from 0 to 1, that it gets."""

    predictor: Predictor
    share: float

    def drawn(self) -> bool:
        """Whether this request is one of the share: by chance, so that no pattern of the clients' can skew it."""
        return random.random() < self.share  # noqa: S311 - nothing secret hangs on it


@dataclass(frozen=True)
class TrafficSplit:
    """The version that answers, the one that answers a share instead, and the one that gets copies of a share."""

    default: Predictor
    canary: Part | None = None
    shadow: Part | None = None


def split(policy: ModelPolicy, ready: Mapping[int, Predictor]) -> TrafficSplit:
    """Follow the policy with the versions that are ready, at least one; a candidate that is not ready gets nothing."""
    default = ready[_default(policy, sorted(ready))]
    return TrafficSplit(default, _part(policy.canary, ready, default), _part(policy.shadow, ready, default))


def _default(policy: ModelPolicy, ready: list[int]) -> int:
    """The version that is set, or the newest; while a newer one is on trial the newest before it."""
    if policy.default in ready:
        return policy.default
    candidates = [each.version or ready[-1] for each in (policy.canary, policy.shadow) if each]
    before = [version for version in ready if version < min(candidates, default=ready[-1] + 1)]
    return before[-1] if before else ready[-1]


def _part(share: Share | None, ready: Mapping[int, Predictor], default: Predictor) -> Part | None:
    if share is None:
        return None
    predictor = ready.get(share.version or max(ready))
    return Part(predictor, share.share) if predictor and predictor is not default else None

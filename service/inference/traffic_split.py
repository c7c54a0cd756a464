"""Which versions of a model answer the requests that name none."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import random as draw
from typing import NamedTuple

from modelrepo.policy import ModelPolicy, Share
from service.inference.predictor import Predictor


@dataclass(frozen=True)
class Part:
    """A version and the share of the requests, from 0 to 1, that it gets."""

    predictor: Predictor
    share: float

    def covers(self, bucket: float) -> bool:
        """Whether a request is one of the share, by a number from 0 to 1 that was drawn for it.

        Chance decides, so that no pattern of the clients' can skew the share.
        """
        return bucket < self.share


class Choice(NamedTuple):
    """The version that answers a request, and the one that gets a copy of it; None for no copy."""

    predictor: Predictor
    shadow: Predictor | None = None


@dataclass(frozen=True)
class TrafficSplit:
    """The version that answers, the one that answers a share instead, and the one that gets copies of a share."""

    default: Predictor
    canary: Part | None = None
    shadow: Part | None = None

    def choose(self, bucket: float) -> Choice:
        """Who answers a request that names no version, by its bucket, and which shadow gets a copy, by another draw."""
        canary, shadow = self.canary, self.shadow
        predictor = canary.predictor if canary and canary.covers(bucket) else self.default
        if shadow is None or shadow.predictor is predictor or not shadow.covers(draw()):  # noqa: S311 - nothing secret
            return Choice(predictor)
        return Choice(predictor, shadow.predictor)


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

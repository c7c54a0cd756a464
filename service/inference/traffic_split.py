"""The traffic split of a model: which versions answer the requests that name none, and which get copies."""

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
        """Whether a request of this bucket, drawn from 0 to 1, is part of the share.

        Buckets are random, so that no pattern in what clients send can skew the share.
        """
        return bucket < self.share


class Choice(NamedTuple):
    """The version that answers a request, and the one that gets a copy of it; None for no copy."""

    predictor: Predictor
    shadow: Predictor | None = None


@dataclass(frozen=True)
class TrafficSplit:
    """The default version, the canary that answers a share instead, and the shadow that gets copies of a share."""

    default: Predictor
    canary: Part | None = None
    shadow: Part | None = None

    def choose(self, bucket: float) -> Choice:
        """The version that answers a request of this bucket, and the shadow that gets a copy, by another draw."""
        canary, shadow = self.canary, self.shadow
        predictor = canary.predictor if canary and canary.covers(bucket) else self.default
        if shadow is None or shadow.predictor is predictor or not shadow.covers(draw()):  # noqa: S311 - nothing secret
            return Choice(predictor)
        return Choice(predictor, shadow.predictor)


def split(policy: ModelPolicy, loaded: Mapping[int, Predictor]) -> TrafficSplit:
    """The split by a policy over the versions that are loaded, at least one; one that is not loaded gets no share."""
    default = loaded[_default(policy, sorted(loaded))]
    return TrafficSplit(default, _part(policy.canary, loaded, default), _part(policy.shadow, loaded, default))


def _default(policy: ModelPolicy, loaded: list[int]) -> int:
    """The version that the policy names, or the newest one before the canary and the shadow."""
    if policy.default in loaded:
        return policy.default
    candidates = [each.version or loaded[-1] for each in (policy.canary, policy.shadow) if each]
    before = [version for version in loaded if version < min(candidates, default=loaded[-1] + 1)]
    return before[-1] if before else loaded[-1]


def _part(share: Share | None, loaded: Mapping[int, Predictor], default: Predictor) -> Part | None:
    if share is None:
        return None
    predictor = loaded.get(share.version or max(loaded))
    return Part(predictor, share.share) if predictor and predictor is not default else None

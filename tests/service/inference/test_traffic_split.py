"""Which version answers, by the policy and by what is loaded."""

import pytest

from modelrepo.policy import ModelPolicy, Share
from service.inference.traffic_split import Part, TrafficSplit, split
from tests.support.bundles.fake_predictors import predictor

READY = {version: predictor(version=version) for version in (1, 2, 3)}


@pytest.mark.parametrize(
    ("policy", "answering", "canary", "shadow"),
    [
        pytest.param(ModelPolicy(2), 3, None, None, id="the newest"),
        pytest.param(ModelPolicy(2, default=1), 1, None, None, id="a default"),
        pytest.param(ModelPolicy(2, default=9), 3, None, None, id="a default that is not ready"),
        pytest.param(ModelPolicy(2, canary=Share(0.1)), 2, 3, None, id="the newest on trial"),
        pytest.param(ModelPolicy(2, canary=Share(0.1, 2)), 1, 2, None, id="a named one on trial, a newer one at hand"),
        pytest.param(ModelPolicy(2, canary=Share(0.1, 1)), 3, 1, None, id="nothing before the one on trial"),
        pytest.param(ModelPolicy(2, canary=Share(0.1, 9)), 3, None, None, id="a trial of what is not ready"),
        pytest.param(ModelPolicy(2, default=3, canary=Share(0.1, 1)), 3, 1, None, id="an older one on trial"),
        pytest.param(ModelPolicy(2, shadow=Share(1.0)), 2, None, 3, id="the newest as shadow"),
        pytest.param(ModelPolicy(2, canary=Share(0.1, 2), shadow=Share(1.0, 3)), 1, 2, 3, id="both"),
    ],
)
def test_a_policy_splits_the_traffic(
    policy: ModelPolicy, answering: int, canary: int | None, shadow: int | None
) -> None:
    result = split(policy, READY)

    assert result.default.metadata.version == answering
    assert version_of(result.canary) == canary
    assert version_of(result.shadow) == shadow


def version_of(part: Part | None) -> int | None:
    return part.predictor.metadata.version if part else None


@pytest.mark.parametrize("policy", [ModelPolicy(2, canary=Share(0.5)), ModelPolicy(2, shadow=Share(0.5))])
def test_a_trial_of_the_only_version_is_none(policy: ModelPolicy) -> None:
    result = split(policy, {1: READY[1]})

    assert result.default is READY[1]
    assert (result.canary, result.shadow) == (None, None)


BUCKETS = [number / 1000 for number in range(1000)]


@pytest.mark.parametrize(("share", "answered"), [(0.0, 0), (0.1, 100), (1.0, 1000)])
def test_a_canary_answers_its_share_of_the_buckets(share: float, answered: int) -> None:
    canary = TrafficSplit(READY[1], canary=Part(READY[2], share))

    assert sum(canary.choose(bucket).predictor is READY[2] for bucket in BUCKETS) == answered
    assert all(canary.choose(bucket).shadow is None for bucket in BUCKETS)


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.1, 60, 140), (1.0, 1000, 1000)])
def test_a_shadow_gets_copies_of_its_share_by_chance_and_answers_nothing(share: float, least: int, most: int) -> None:
    choices = [TrafficSplit(READY[1], shadow=Part(READY[2], share)).choose(0.0) for _ in BUCKETS]

    assert least <= sum(choice.shadow is READY[2] for choice in choices) <= most
    assert {choice.predictor for choice in choices} == {READY[1]}


def test_a_shadow_is_compared_with_the_canary_too_but_never_with_itself() -> None:
    canary = Part(READY[2], 0.5)

    other = TrafficSplit(READY[1], canary, Part(READY[3], 1.0))
    same = TrafficSplit(READY[1], canary, Part(READY[2], 1.0))

    assert (other.choose(0.0), other.choose(0.9)) == ((READY[2], READY[3]), (READY[1], READY[3]))
    assert (same.choose(0.0), same.choose(0.9)) == ((READY[2], None), (READY[1], READY[2]))

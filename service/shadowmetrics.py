"""The metrics of shadows, which are only compared; they are apart from those of what is answered."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

SECONDS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
DIFFERENCES = (0.000001, 0.00001, 0.0001, 0.001, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)  # 1e-6: the same network


@dataclass(frozen=True)
class ShadowMetrics:
    """`version` is the one that answered where there is a `shadow_version`, else the shadow's."""

    comparisons: Counter
    difference: Histogram
    seconds: Histogram
    dropped: Counter
    failures: Counter


def create_shadow_metrics(registry: CollectorRegistry) -> ShadowMetrics:
    """Create them in a registry."""
    pair, shadow = ("model", "version", "shadow_version"), ("model", "version")
    return ShadowMetrics(
        comparisons=Counter(
            "convserve_shadow_comparisons_total",
            "Images that a shadow gave the answered label (agree) or another one (flip).",
            (*pair, "result"),
            registry=registry,
        ),
        difference=Histogram(
            "convserve_shadow_difference",
            "Absolute difference of the answered label's probability between what was answered and the shadow.",
            pair,
            buckets=DIFFERENCES,
            registry=registry,
        ),
        seconds=Histogram(
            "convserve_shadow_seconds",
            "Time that a shadow takes for one copied request, from the inputs to the probabilities.",
            shadow,
            buckets=SECONDS,
            registry=registry,
        ),
        dropped=Counter(
            "convserve_shadow_dropped_total",
            "Copies of requests that a shadow never saw, by why.",
            (*shadow, "reason"),
            registry=registry,
        ),
        failures=Counter(
            "convserve_shadow_failures_total",
            "Copies of requests that a shadow failed to classify, by the error's code.",
            (*shadow, "reason"),
            registry=registry,
        ),
    )

"""How far a share that was counted on a sample can be trusted."""

import math

Interval = tuple[float, float]

_Z = 1.959964  # standard deviations left and right of the mean that hold 95 % of a normal distribution


def wilson_interval(hits: int, examples: int) -> Interval:
    """The 95 % interval of a share of `hits` among `examples` independent ones.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927: unlike the usual
    p ± z·√(p(1−p)/n) it stays within 0…1 and holds near both ends, where accuracies are.
    """
    share, spread = hits / examples, _Z**2 / examples
    centre = share + spread / 2
    reach = _Z * math.sqrt(share * (1 - share) / examples + spread / (4 * examples))
    return max(0.0, (centre - reach) / (1 + spread)), min(1.0, (centre + reach) / (1 + spread))

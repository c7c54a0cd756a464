import numpy as np
import pytest

from training.data.splits import weigh_classes

LABELS = np.repeat([0, 1, 2], [60, 30, 10])


def test_every_class_counts_as_much_as_another() -> None:
    weights = weigh_classes(LABELS, 3, balance=1.5)

    assert weights is not None
    totals = [weights[index] * np.count_nonzero(index == LABELS) for index in range(3)]
    assert totals == pytest.approx([100 / 3] * 3)


@pytest.mark.parametrize("balance", [0.0, 6.0], ids=["never", "not so unequal"])
def test_classes_count_alike_where_that_was_chosen(balance: float) -> None:
    assert weigh_classes(LABELS, 3, balance) is None


def test_a_class_without_images_disturbs_nobody() -> None:
    weights = weigh_classes(LABELS, 3, balance=1.5) or {}

    assert weigh_classes(LABELS, 4, balance=1.5) == {**weights, 3: 1.0}

import numpy as np
import pytest

from training.data.splits import weigh_classes

LABELS = np.repeat([0, 1, 2], [60, 30, 10])


def test_every_class_counts_as_much_as_another() -> None:
    weights = weigh_classes(LABELS, 3, threshold=1.5)

    assert weights is not None
    totals = [weights[index] * np.count_nonzero(index == LABELS) for index in range(3)]
    assert totals == pytest.approx([100 / 3] * 3)


@pytest.mark.parametrize("threshold", [0.0, 6.0], ids=["never", "not so unequal"])
def test_classes_count_alike_where_that_was_chosen(threshold: float) -> None:
    assert weigh_classes(LABELS, 3, threshold) is None


def test_a_class_without_images_changes_no_other_weight() -> None:
    weights = weigh_classes(LABELS, 3, threshold=1.5) or {}

    assert weigh_classes(LABELS, 4, threshold=1.5) == {**weights, 3: 1.0}

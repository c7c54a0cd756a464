"""Weights of classes, so that a rare one counts as much as a frequent one."""

import numpy as np

from training.datasets import Labels


def weigh_classes(labels: Labels, classes: int, balance: float) -> dict[int, float] | None:
    """N / (classes · n of the class) by class, whose mean over all images is 1.

    None where the largest class has at most `balance` times the images of the smallest, or `balance` is 0. A class
    without images is not counted and gets the weight 1.
    """
    counts = np.bincount(labels, minlength=classes)
    present = counts[counts > 0]
    if not balance or present.max() <= balance * present.min():
        return None
    return {index: float(len(labels) / (len(present) * count)) if count else 1.0 for index, count in enumerate(counts)}

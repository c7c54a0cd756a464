from collections.abc import Iterator

import pytest

from training.engine.callbacks import TimeLeft


@pytest.mark.parametrize(
    ("epochs", "ends", "said"),
    [
        pytest.param(3, [0, 60], ["About 2 min left for 2 more epochs"], id="the first epoch is all there is"),
        pytest.param(12, [0, 900, 960, 1020], "About 9 min left for 9 more epochs", id="the first does not count"),
        pytest.param(2, [0, 20, 40], [], id="not worth saying"),
    ],
)
def test_what_is_left_is_told_at_the_pace_so_far(epochs: int, ends: list[int], said: list[str] | str) -> None:
    told: list[str] = []
    clock: Iterator[int] = iter(ends)
    callback = TimeLeft(epochs, told.append, clock=lambda: next(clock))

    callback.on_train_begin()
    for epoch in range(len(ends) - 1):
        callback.on_epoch_end(epoch)

    assert (told[-1] if isinstance(said, str) else told) == said

"""Signals while a network learns: obeyed between two batches, and as ever before and after."""

import os
import signal

import pytest

from training.engine.callbacks import SIGNALS, Interruption


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_obeyed_at_the_end_of_the_batch(number: signal.Signals) -> None:
    interruption = Interruption()
    interruption.__enter__()
    os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        interruption.on_train_batch_end(0)


def test_a_signal_after_the_last_batch_is_obeyed_at_the_end() -> None:
    with pytest.raises(KeyboardInterrupt), Interruption():
        os.kill(os.getpid(), signal.SIGINT)


def test_without_a_signal_nothing_is_interrupted() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Interruption() as interruption:
        interruption.on_train_batch_end(0)
        interruption.on_test_batch_end(0)

    assert [signal.getsignal(number) for number in SIGNALS] == before

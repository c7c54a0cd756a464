"""How much of a worker's time work may take that nobody waits for."""

SHARE = 0.05  # of the time: whoever comes at any moment finds the worker free 19 times in 20, so the median stays
DELAY = 0.0001  # seconds that a request waits for it on average: a tenth of what a small picture takes under load


class Duty:
    """When the next piece of such work may begin. Work cannot be interrupted, so a long piece is followed by long rest.

    Of requests that come at any moment a share of `work / cycle` meets work, and waits for half of it on average; so a
    cycle of `work² / (2 × DELAY)` keeps the mean within DELAY, which is what counts from 4 ms of work on. The shorter
    one of the last two pieces decides, so that one which the machine held up is no reason for a long rest.
    """

    def __init__(self) -> None:
        self.rest_until = 0.0  # in the seconds of the clock that the caller has
        self._before = 0.0

    def account(self, began: float, ended: float) -> None:
        """Rest long enough after a piece of work."""
        work = ended - began
        usual, self._before = min(work, self._before), work
        self.rest_until = began + max(work / SHARE, usual * usual / (2 * DELAY))

"""A version of a model that was tried."""

from dataclasses import dataclass

from service.inference.predictor import Predictor

READY, UNAVAILABLE = "READY", "UNAVAILABLE"


@dataclass(frozen=True)
class LoadedVersion:
    """A version that is served (`predictor`), or is not, and why (`reason`).

    `failure`, a word for the metric, says that the bundle on disk was refused. Where there is a predictor too, it is of
    the bundle that was there before.
    """

    name: str
    version: int
    predictor: Predictor | None
    reason: str = ""
    failure: str = ""

    @property
    def state(self) -> str:
        """READY or UNAVAILABLE, the words of the repository protocol."""
        return READY if self.predictor else UNAVAILABLE

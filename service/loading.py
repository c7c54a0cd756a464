"""Verified loading: one bundle becomes a version that is served, or one that was refused with its reason."""

import logging
from collections.abc import Callable

from modelrepo.errors import InvalidMetadata, RepositoryError
from modelrepo.reader import Bundle, read_version
from modelrepo.repository import ModelRepository
from service.loadedversion import LoadedVersion
from service.predictor import Predictor
from service.runtime import UnusableGraph
from service.verification import WrongAnswers, replay
from service.warmup import warm_up

logger = logging.getLogger("convserve")

Opener = Callable[[Bundle], Predictor]


def load_version(repository: ModelRepository, name: str, version: int, open_bundle: Opener) -> LoadedVersion:
    """Read, verify, open, replay and warm up; whatever is wrong with the bundle, others must not suffer from it."""
    try:
        bundle = read_version(repository, name, version)
        predictor = open_bundle(bundle)
        replay(bundle.golden, predictor)
        warm_up(predictor)
    except Exception as error:  # whatever is wrong with one bundle, the others are served
        failure = _failure_word(error)
        logger.warning("refused %s version %s: %s", name, version, error, exc_info=failure == "unexpected")
        return LoadedVersion(name, version, None, str(error), failure)
    return LoadedVersion(name, version, predictor)


def _failure_word(error: Exception) -> str:
    kinds: dict[type[Exception], str] = {
        InvalidMetadata: "metadata",
        RepositoryError: "corrupt",
        OSError: "unreadable",
        UnusableGraph: "graph",
        WrongAnswers: "golden",
    }
    return next((word for kind, word in kinds.items() if isinstance(error, kind)), "unexpected")

"""The bundle loader: a bundle is read, checked, opened, verified by its golden images and warmed up, then it serves."""

import logging
import re
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from modelrepo.errors import InvalidMetadata, RepositoryError
from modelrepo.golden import GoldenSet
from modelrepo.metadata import Metadata
from modelrepo.reader import Bundle, graph_to_open, read_version
from modelrepo.repository import ModelRepository
from preprocessing.decode import decode
from preprocessing.pipeline import read_pixels
from preprocessing.png import encode_png
from service.codecs.inputs import EncodedImage, EncodedImages
from service.codecs.limits import Limits
from service.errors import public_text
from service.inference.model_version import FailedVersion, LoadedVersion
from service.inference.predictor import Predictor, PreparedBatch
from service.inference.runtime import UnusableGraph, load_model

logger = logging.getLogger("convserve")

CHANGED = "its files changed while they were read: write bundles beside the repository and rename them"
MAX_INPUT_BYTES = 256 << 20  # of what the graph takes in one run
MAX_CLASSES = 100_000

Opener = Callable[[Bundle], Predictor]


def load_version(
    repository: ModelRepository, name: str, version: int, opener: Opener, *, is_verified: bool = False
) -> LoadedVersion | FailedVersion:
    """Load one version; whatever is wrong with its bundle becomes a FailedVersion, and the others are served.

    Where it `is_verified`, another process has classified its golden images.
    """
    try:
        bundle = read_version(repository, name, version)
        predictor = opener(bundle)
        if not is_verified:
            verify_golden(bundle.golden, predictor)
        warm_up(predictor)
    except Exception as error:  # a bundle can fail in any way, and none may stop the others from being loaded
        failure = _failure_word(error)
        logger.warning("failed to load %s version %s: %s", name, version, error, exc_info=failure == "unexpected")
        return FailedVersion(name, version, public_text(error), failure)
    return LoadedVersion(name, version, predictor)


def open_bundle(
    bundle: Bundle, threads: int, limits: Limits, on_begin: Callable[[], object] | None = None
) -> Predictor:
    """A predictor over the bundle's ONNX file, run with `threads` threads; raises UnusableGraph.

    `on_begin` is called before what may take long.
    """
    if on_begin:
        on_begin()
    metadata = bundle.metadata
    _check_sizes(metadata, limits)
    with graph_to_open(bundle) as path:
        model = load_model(path, metadata.input, metadata.output, threads)
    return Predictor(metadata, bundle.digest, model, limits)


class GoldenMismatch(Exception):
    """The probabilities of golden images differ from those that the training framework computed."""


def verify_golden(golden: GoldenSet, predictor: Predictor) -> None:
    """Send the golden images, which are the graph's own pixels, through the network; raises GoldenMismatch."""
    if not golden.images:
        raise GoldenMismatch("the bundle has no golden images: export it again")
    spec, contract = predictor.metadata.input, predictor.metadata.preprocessing
    images = [read_pixels(image.content, spec, contract) for image in golden.images]
    batch = PreparedBatch(np.stack([image.pixels for image in images]), tuple(image.steps for image in images))
    probabilities = predictor.classify_prepared(batch, timeline=[]).probabilities
    expected = np.array([image.probabilities for image in golden.images])
    if probabilities.shape != expected.shape:
        classes, recorded = probabilities.shape[1], expected.shape[1]
        raise GoldenMismatch(f"the graph gives {classes} classes, the golden images have {recorded}")
    if probabilities.shape[1] != predictor.metadata.output.classes:
        classes, claimed = probabilities.shape[1], predictor.metadata.output.classes
        raise GoldenMismatch(f"the graph gives {classes} classes, the metadata says {claimed}")
    differences = np.abs(probabilities - expected).max(axis=1)
    worst = int(differences.argmax())
    if not differences[worst] <= golden.tolerance:  # NaN is not within any tolerance
        file, difference = golden.images[worst].file, differences[worst]
        raise GoldenMismatch(f"golden image {file} is {difference:.2g} off, more than {golden.tolerance:.2g}")


def warm_up(predictor: Predictor) -> None:
    """Classify an image of a size that no model has, so that no request pays for first imports and allocations."""
    page = Image.new("RGB", (75, 50), "white")
    ImageDraw.Draw(page).line([(20, 10), (50, 10), (30, 40)], fill="black", width=4)
    inputs = EncodedImages((EncodedImage(encode_png(np.asarray(page)), "warm-up"),))
    predictor.classify(inputs, timeline=[])


def warm_up_decoding() -> None:
    """Decode an image, so that what Pillow imports at the first one is there before the process forks."""
    decode(encode_png(np.zeros((8, 8), np.uint8)), max_pixels=64).load()


def _check_sizes(metadata: Metadata, limits: Limits) -> None:
    """Raise InvalidMetadata where it claims sizes that no image or memory has, before anything is allocated."""
    spec = metadata.input
    if spec.height * spec.width > limits.max_pixels:
        size = f"{spec.height} × {spec.width} pixels"
        raise InvalidMetadata("input", f"is of {size}, more than the {limits.max_pixels} that an image may have")
    bytes_each = spec.height * spec.width * spec.channels * np.dtype(spec.dtype).itemsize
    if bytes_each * (spec.batch or 1) > MAX_INPUT_BYTES:
        raise InvalidMetadata("input", f"takes {bytes_each * (spec.batch or 1)} bytes, more than {MAX_INPUT_BYTES}")
    if metadata.output.classes > MAX_CLASSES:
        raise InvalidMetadata("output.classes", f"must be at most {MAX_CLASSES}, not {metadata.output.classes}")


_NO_MEMORY = re.compile("bad_alloc|bad allocation|Failed to allocate memory|out of memory", re.IGNORECASE)


def _failure_word(error: Exception) -> str:
    """The word for the metric of load failures."""
    if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
        return "memory"
    words: dict[type[Exception], str] = {
        InvalidMetadata: "metadata",
        RepositoryError: "corrupt",
        OSError: "unreadable",
        UnusableGraph: "graph",
        GoldenMismatch: "golden",
    }
    word = next((word for kind, word in words.items() if isinstance(error, kind)), "unexpected")
    return "graph" if type(error).__module__.startswith("onnxruntime") else word

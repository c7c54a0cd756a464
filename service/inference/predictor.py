"""The predictor of one loaded version: inputs are decoded, preprocessed, and run through the network."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from modelrepo.metadata import Metadata
from preprocessing.decode import FORMAT_NAMES, decode
from preprocessing.errors import DamagedImage, EmptyImage, ImageError, ImageTooLarge, TruncatedImage, UnknownFormat
from preprocessing.pipeline import normalize, prepare
from service.codecs.inputs import EncodedImage, Inputs, PixelArray
from service.codecs.limits import Limits
from service.codecs.pixel_arrays import check_pixels
from service.errors import InvalidImage, RequestError, TooLarge
from service.inference.prediction import Classification, softmax
from service.inference.runtime import Model, Scores
from service.telemetry.stage_timer import Stage, Timeline

_ADVICE: dict[type[ImageError], str] = {
    EmptyImage: "send the bytes of an image file",
    UnknownFormat: f"send one of {', '.join(FORMAT_NAMES[:-1])} and {FORMAT_NAMES[-1]}",
    TruncatedImage: "send the whole file",
    DamagedImage: "check that the file opens elsewhere, then send it unchanged",
    ImageTooLarge: "send a smaller one",
}


@dataclass(frozen=True)
class PreparedBatch:
    """Pixels, uint8 [N, height, width, channels] of the model, and the preprocessing steps of each image."""

    pixels: NDArray[np.uint8]
    steps: tuple[tuple[str, ...], ...]


class Predictor:
    """Runs one model by its own bundle's preprocessing contract; may be used by several threads at once."""

    def __init__(self, metadata: Metadata, digest: str, model: Model, limits: Limits) -> None:
        self.metadata = metadata
        self.digest = digest
        self._model = model
        self._limits = limits

    def classify(self, inputs: Inputs, timeline: Timeline) -> Classification:
        """Classify every image; raises a RequestError that names the image which cannot be read."""
        prepared = self.prepare(inputs, timeline)
        return Classification(self.probabilities(prepared.pixels, timeline), prepared.steps)

    def prepare(self, inputs: Inputs, timeline: Timeline) -> PreparedBatch:
        """Bring inputs of any kind to the model's size and colour mode; raises the same."""
        if isinstance(inputs, PixelArray):
            return self._check_pixels(inputs, timeline)
        images, spec = inputs.images, self.metadata.input
        self._limits.check_count(len(images))
        pixels = np.empty((len(images), spec.height, spec.width, spec.channels), np.uint8)
        steps, left = [], self._limits.max_request_pixels
        for row, image in enumerate(images):  # one by one, so that only one is ever held at its full size
            decoded = self._decode(image, left, is_alone=len(images) == 1)
            left -= decoded.width * decoded.height
            timeline.append((Stage.DECODE, perf_counter()))
            prepared = prepare(decoded, spec, self.metadata.preprocessing)
            timeline.append((Stage.PREPROCESS, perf_counter()))
            pixels[row] = prepared.pixels
            steps.append(prepared.steps)
        return PreparedBatch(pixels, tuple(steps))

    def probabilities(self, pixels: NDArray[np.uint8], timeline: Timeline) -> Scores:
        """Run the network on [N, height, width, channels]; returns float32 [N, classes]."""
        batch = normalize(pixels, self.metadata.input, self.metadata.preprocessing)
        timeline.append((Stage.PREPROCESS, perf_counter()))
        scores = self._model(batch)
        timeline.append((Stage.INFER, perf_counter()))
        return softmax(scores) if self.metadata.output.kind == "logits" else scores

    def _check_pixels(self, array: PixelArray, timeline: Timeline) -> PreparedBatch:
        self._limits.check_count(len(array.values) if array.values.ndim else 0)
        pixels = check_pixels(array.values, self.metadata.name, self.metadata.input)
        timeline.append((Stage.DECODE, perf_counter()))
        return PreparedBatch(pixels, ((),) * len(pixels))

    def _decode(self, image: EncodedImage, left: int, *, is_alone: bool) -> Image:
        """Decode an image of at most `left` pixels: what the images before it leave of the request's limit."""
        try:
            return decode(image.content, min(self._limits.max_pixels, left))
        except ImageError as error:
            if isinstance(error, ImageTooLarge) and left < self._limits.max_pixels:
                most = self._limits.max_request_pixels
                sentence = f"with {image.name} the request has more than {most} pixels: send fewer images at a time"
                raise TooLarge(sentence) from error
            raise _as_request_error(error, "" if is_alone else f"{image.name}: ") from error


def _as_request_error(error: ImageError, prefix: str) -> RequestError:
    """The error with its HTTP status and what to do; `prefix` says which of several images it is about."""
    kind = TooLarge if isinstance(error, ImageTooLarge) else InvalidImage
    return kind(f"{prefix}{error}: {_ADVICE[type(error)]}")

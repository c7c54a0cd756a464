"""The predictor of one loaded version: inputs are decoded, preprocessed, and run through the network."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import Metadata
from preprocessing.cost import CostBudget
from preprocessing.decode import FORMAT_NAMES, decode
from preprocessing.errors import (
    DamagedImage,
    EmptyImage,
    ImageError,
    ImageTooCostly,
    ImageTooLarge,
    TruncatedImage,
    UnknownFormat,
    UnsupportedVariant,
)
from preprocessing.pipeline import normalize, prepare
from service.codecs.inputs import EncodedImages, Inputs, PixelArray
from service.codecs.limits import Limits
from service.codecs.pixel_arrays import check_pixels
from service.codecs.transfer_damage import describe_transfer_damage
from service.errors import InvalidImage, Overloaded, RequestError, TooLarge
from service.inference.prediction import AbstainReason, Classification, softmax
from service.inference.runtime import Model, ModelOutputs, Scores
from service.telemetry.stage_timer import Stage, Timeline

_ADVICE: dict[type[ImageError], str] = {
    EmptyImage: "send the bytes of an image file",
    UnknownFormat: f"send one of {', '.join(FORMAT_NAMES[:-1])} and {FORMAT_NAMES[-1]}",
    UnsupportedVariant: "save it as PNG",
    TruncatedImage: "send the whole file",
    DamagedImage: "check that the file opens elsewhere, then send it unchanged",
    ImageTooLarge: "send a smaller one",
    ImageTooCostly: "send a smaller or simpler one",
}
IMAGE_SECONDS = {False: 0.0002, True: 0.003}  # of preparing an image, the second by the rule for handwriting


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
        self.limits = limits
        self._ready = (metadata.input.width, metadata.input.height, metadata.input.channels)
        self._pixel_rule = (*self._ready, metadata.preprocessing)
        self.abstains = metadata.output.abstains
        self._image_seconds = IMAGE_SECONDS[metadata.preprocessing.ink]

    def classify(self, inputs: Inputs, timeline: Timeline, *, only_cheap: bool = False) -> Classification:
        """Classify every image; raises a RequestError that names the image which cannot be read.

        With `only_cheap` it raises CostlyImage for images of which decoding might take long, or much memory.
        """
        return self.classify_prepared(self.prepare(inputs, timeline, only_cheap=only_cheap), timeline)

    def prepare(self, inputs: Inputs, timeline: Timeline, *, only_cheap: bool = False) -> PreparedBatch:
        """Bring inputs of any kind to the model's size and colour mode; raises the same."""
        if isinstance(inputs, PixelArray):
            return self._check_pixels(inputs, timeline)
        images, spec = inputs.images, self.metadata.input
        self.limits.check_count(len(images))
        budget = CostBudget(self._ready, self._image_seconds) if only_cheap else None
        pixels = np.empty((len(images), spec.height, spec.width, spec.channels), np.uint8)
        steps, left = [], self.limits.max_request_pixels
        for row, image in enumerate(images):  # one by one, so that only one is ever held at its full size
            if budget is not None:
                budget.charge(image.content)
            try:
                decoded = decode(image.content, min(self.limits.max_pixels, left))
            except ImageError as error:
                raise self.describe(error, inputs, row, left) from error
            except MemoryError as error:
                raise Overloaded("the server has no memory for the image now: try again in a moment") from error
            left -= decoded.width * decoded.height
            timeline.append((Stage.DECODE, perf_counter()))
            prepared = prepare(decoded, spec, self.metadata.preprocessing)
            timeline.append((Stage.PREPROCESS, perf_counter()))
            pixels[row] = prepared.pixels
            steps.append(prepared.steps)
        return PreparedBatch(pixels, tuple(steps))

    def classify_prepared(self, prepared: PreparedBatch, timeline: Timeline) -> Classification:
        """Run the network on prepared images."""
        metadata = self.metadata
        batch = normalize(prepared.pixels, metadata.input, metadata.preprocessing)
        timeline.append((Stage.PREPROCESS, perf_counter()))
        outputs = self._model(batch)
        timeline.append((Stage.INFER, perf_counter()))
        probabilities = softmax(outputs.scores) if metadata.output.kind == "logits" else outputs.scores
        reasons = self._abstain_reasons(prepared, outputs, probabilities) if self.abstains else None
        return Classification(probabilities, prepared.steps, reasons)

    def _abstain_reasons(
        self, prepared: PreparedBatch, outputs: ModelOutputs, probabilities: Scores
    ) -> tuple[AbstainReason | None, ...]:
        """Why the model abstains from each image, by its bundle's thresholds; None where it answers."""
        unsure, count = self.metadata.output.abstain_below is not None, len(prepared.pixels)
        largest = probabilities.max(axis=1).tolist() if unsure else [1.0] * count
        outlier_scores = [0.0] * count if outputs.outlier_scores is None else outputs.outlier_scores.tolist()
        rows = zip(prepared.pixels, prepared.steps, outlier_scores, largest, strict=True)
        return tuple([self._abstain_reason(*row) for row in rows])

    def _abstain_reason(
        self, image: NDArray[np.uint8], steps: tuple[str, ...], outlier_score: float, largest: float
    ) -> AbstainReason | None:
        """The first reason that applies to an image with this largest probability; NaN is beyond every threshold."""
        spec, is_handwriting = self.metadata.output, self.metadata.preprocessing.ink
        if is_handwriting and ("found no ink" in steps or not image.any()):
            return AbstainReason.NO_INK
        if is_handwriting and "found several pieces" in steps:
            return AbstainReason.SEVERAL_PIECES
        if spec.outlier_above is not None and not outlier_score <= spec.outlier_above:
            return AbstainReason.UNLIKE_TRAINING
        if spec.abstain_below is not None and not largest >= spec.abstain_below:
            return AbstainReason.UNSURE
        return None

    def _check_pixels(self, array: PixelArray, timeline: Timeline) -> PreparedBatch:
        pixels = check_pixels(array, self.metadata.name, self.metadata.input, self.limits)
        timeline.append((Stage.DECODE, perf_counter()))
        return PreparedBatch(pixels, ((),) * len(pixels))

    def prepares_like(self, other: "Predictor") -> bool:
        """Whether images become the same pixels for both."""
        return self._pixel_rule == other._pixel_rule

    def describe(self, error: ImageError, inputs: EncodedImages, row: int, left: int) -> RequestError:
        """The error with its HTTP status and what to do.

        `row` is the index of the image, which had to have at most `left` pixels: what those before it left of the limit
        for the request.
        """
        name, is_alone = inputs.images[row].name, len(inputs.images) == 1
        if isinstance(error, ImageTooLarge) and left < self.limits.max_pixels:
            most = self.limits.max_request_pixels
            return TooLarge(f"with {name} the request has more than {most} pixels: send fewer images at a time")
        kind = TooLarge if isinstance(error, ImageTooLarge | ImageTooCostly) else InvalidImage
        is_broken = isinstance(error, UnknownFormat | TruncatedImage | DamagedImage)
        damage = describe_transfer_damage(inputs.images[row].content) if is_broken else None
        return kind(f"{'' if is_alone else f'{name}: '}{error}: {damage or _ADVICE[type(error)]}")

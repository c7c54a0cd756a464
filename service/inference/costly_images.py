"""Images that may take long, or much memory: a process of the pool prepares them while the loop goes on."""

from functools import partial
from time import perf_counter

from service.codecs.inputs import EncodedImages
from service.environ import Deferred, Suspended
from service.errors import RequestError
from service.inference.predictor import Predictor, PreparedBatch
from service.isolation.image_job import ImageFailure, ImageJob, ImageTask, PreparedImages
from service.isolation.image_pool import ImagePool
from service.telemetry.request_state import RequestState
from service.telemetry.stage_timer import Stage, Timeline


class CostlyImages:
    """Prepares the images of a request in another process."""

    def __init__(self, pool: ImagePool) -> None:
        self._pool = pool

    def prepare(
        self, predictor: Predictor, inputs: EncodedImages, state: RequestState, timeline: Timeline
    ) -> PreparedBatch:
        """The pixels of the images, as `Predictor.prepare` gives them; raises a RequestError.

        Raises Suspended where the server calls the application again, which then finds the job in the state of the
        request. Under other servers it waits. The times in the timeline are those that the process measured.
        """
        task = ImageTask(
            tuple(image.content for image in inputs.images),
            predictor.metadata.input,
            predictor.metadata.preprocessing,
            predictor.limits.max_pixels,
            predictor.limits.max_request_pixels,
        )
        job: ImageJob | None = state.job
        if job is None or job.task != task:  # at the first call, and where another version is to respond meanwhile
            job = state.job = self._pool.submit(task)
            state.job_error = partial(_find_error, job, predictor, inputs)
            if state.can_suspend:
                raise Suspended(Deferred(state, job.is_over, is_announced=True))
            self._pool.complete(job)
        prepared = job.result
        if not isinstance(prepared, PreparedImages):
            raise _find_error(job, predictor, inputs) or RuntimeError("the job is not over")
        now, decode, preprocess = perf_counter(), prepared.decode_seconds, prepared.preprocess_seconds
        state.job_seconds = max(0.0, job.seconds - decode - preprocess)
        timeline[:] = [
            (Stage.QUEUE, now - decode - preprocess),
            (Stage.DECODE, now - preprocess),
            (Stage.PREPROCESS, now),
        ]
        return PreparedBatch(prepared.pixels, prepared.steps)


def _find_error(job: ImageJob, predictor: Predictor, inputs: EncodedImages) -> Exception | None:
    """A new error that says what a job has failed with, in the words of the predictor."""
    if isinstance(job.result, ImageFailure):
        return predictor.describe(job.result.error, inputs, job.result.row, job.result.most)
    return type(job.result)(str(job.result)) if isinstance(job.result, RequestError | RuntimeError) else None

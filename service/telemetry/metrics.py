"""The Prometheus metrics of the service, summed over the workers and kept when a worker exits.

Every worker writes its own files, named by its slot on the scoreboard, in a folder that the master makes. A new worker
that takes over a slot continues from the counts that it finds there.
"""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from service.ipc.workspace import WorkerContext
from service.telemetry.collectors import (
    ConnectionCollector,
    LogCollector,
    ProcessCollector,
    StartFailureCollector,
    UnsavedCollector,
    WarningCollector,
    WorkerCollector,
)
from service.telemetry.multiprocess_values import SlotFiles, slot_value
from service.telemetry.statistics import Statistics

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
STAGE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
LOAD_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
CONFIDENCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
JOB_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SHADOW_SECONDS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
# 1e-6 is what two runtimes of the same network differ by.
SHADOW_DIFFERENCES = (0.000001, 0.00001, 0.0001, 0.001, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

MODEL = ("model", "version")
KINDS = ("counter", "histogram", "gauge_livesum")  # of files: all are opened at the start, none by a request


@dataclass(frozen=True)
class ShadowMetrics:
    """The metrics of shadows, which are compared and not returned to clients.

    The label `version` is the version that answered where there is a label `shadow_version`, else the shadow.
    """

    comparisons: Counter
    difference: Histogram
    seconds: Histogram
    dropped: Counter
    failures: Counter


@dataclass(frozen=True)
class ImageJobMetrics:
    """The metrics of images that processes of their own decode."""

    jobs: Counter
    in_progress: Gauge
    seconds: Histogram
    exits: Counter


@dataclass(frozen=True)
class Metrics:
    """The service's metrics; the names and labels are a public interface, see docs/operations.md."""

    scrape: CollectorRegistry
    requests: Counter
    request_seconds: Histogram
    requests_in_progress: Gauge
    stage_seconds: Histogram
    predictions: Counter
    prediction_failures: Counter
    confidence: Histogram
    abstained: Counter
    batch_size: Histogram
    rejected: Counter
    shadows: ShadowMetrics
    image_jobs: ImageJobMetrics
    model_load_failures: Counter
    model_load_seconds: Histogram
    statistics: Statistics
    files: SlotFiles


def create_metrics(context: WorkerContext) -> Metrics:
    """Create the metrics of one worker.

    prometheus_client takes the kind of value from the process's state, so this is called once a process, before
    anything else makes a metric.
    """
    files = SlotFiles(context.folder, context.slot, context.warnings)
    for kind in KINDS:
        files.open(kind)
    values.ValueClass = slot_value(files)
    own = CollectorRegistry()
    return Metrics(
        scrape=_scrape_registry(context, files),
        requests=Counter(
            "http_requests_total",
            "HTTP requests by method, route and status.",
            ("method", "route", "status"),
            registry=own,
        ),
        request_seconds=Histogram(
            "http_request_duration_seconds",
            "From the complete request to the complete response, the time in the queue included.",
            ("method", "route"),
            buckets=SECONDS,
            registry=own,
        ),
        requests_in_progress=Gauge(
            "http_requests_in_progress", "Requests in progress now.", multiprocess_mode="livesum", registry=own
        ),
        stage_seconds=Histogram(
            "convserve_stage_seconds",
            "Time of one prediction request in each stage: queue, decode, preprocess, infer, encode.",
            (*MODEL, "stage"),
            buckets=STAGE_SECONDS,
            registry=own,
        ),
        predictions=Counter(
            "convserve_predictions_total",
            "Classified images by their most probable label.",
            (*MODEL, "label"),
            registry=own,
        ),
        prediction_failures=Counter(
            "convserve_prediction_failures_total",
            "Prediction requests to a version that failed, by the code of the error.",
            (*MODEL, "reason"),
            registry=own,
        ),
        confidence=Histogram(
            "convserve_confidence", "Probability of the most probable label.", MODEL, buckets=CONFIDENCES, registry=own
        ),
        abstained=Counter(
            "convserve_abstained_total",
            "Images from which the model abstained, by the reason.",
            (*MODEL, "reason"),
            registry=own,
        ),
        batch_size=Histogram(
            "convserve_batch_size", "Images in one prediction request.", MODEL, buckets=BATCH_SIZES, registry=own
        ),
        rejected=Counter(
            "convserve_rejected_total", "Requests that failed, by the code of the error.", ("reason",), registry=own
        ),
        shadows=_create_shadow_metrics(own),
        image_jobs=_create_image_job_metrics(own),
        model_load_failures=Counter(
            "convserve_model_load_failures_total",
            "Versions that a worker failed to load, by the reason.",
            (*MODEL, "reason"),
            registry=own,
        ),
        model_load_seconds=Histogram(
            "convserve_model_load_seconds",
            "Loading, verifying and warming up one version that is now served.",
            ("model",),
            buckets=LOAD_SECONDS,
            registry=own,
        ),
        statistics=Statistics(files),
        files=files,
    )


def discard_worker(context: WorkerContext) -> None:
    """Forget the gauges of a worker that has exited; its counters stay for the next worker in its slot."""
    mark_process_dead(context.slot, str(context.folder))


def _create_shadow_metrics(registry: CollectorRegistry) -> ShadowMetrics:
    pair, shadow = ("model", "version", "shadow_version"), ("model", "version")
    return ShadowMetrics(
        comparisons=Counter(
            "convserve_shadow_comparisons_total",
            "Images that a shadow gave the same label as the answering version (agree) or another one (flip).",
            (*pair, "result"),
            registry=registry,
        ),
        difference=Histogram(
            "convserve_shadow_difference",
            "Absolute difference between answering version and shadow in the probability of the answered label.",
            pair,
            buckets=SHADOW_DIFFERENCES,
            registry=registry,
        ),
        seconds=Histogram(
            "convserve_shadow_seconds",
            "Time that a shadow takes for one copied request, from the inputs to the probabilities.",
            shadow,
            buckets=SHADOW_SECONDS,
            registry=registry,
        ),
        dropped=Counter(
            "convserve_shadow_dropped_total",
            "Copies of requests that a shadow did not classify, by the reason.",
            (*shadow, "reason"),
            registry=registry,
        ),
        failures=Counter(
            "convserve_shadow_failures_total",
            "Copies of requests that a shadow failed to classify, by the code of the error.",
            (*shadow, "reason"),
            registry=registry,
        ),
    )


def _create_image_job_metrics(registry: CollectorRegistry) -> ImageJobMetrics:
    return ImageJobMetrics(
        jobs=Counter(
            "convserve_image_jobs_total",
            "Requests whose images were left to a process that decodes images, by what became of them.",
            ("result",),
            registry=registry,
        ),
        in_progress=Gauge(
            "convserve_image_jobs_in_progress",
            "Requests whose images are being decoded, or wait for it, in a process for that.",
            multiprocess_mode="livesum",
            registry=registry,
        ),
        seconds=Histogram(
            "convserve_image_job_seconds",
            "Time until such a request's images were decoded and prepared, or had failed.",
            buckets=JOB_SECONDS,
            registry=registry,
        ),
        exits=Counter(
            "convserve_image_process_exits_total",
            "Processes that decode images and ended unexpectedly, or could not be started, by the cause.",
            ("cause",),
            registry=registry,
        ),
    )


def _scrape_registry(context: WorkerContext, files: SlotFiles) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(UnsavedCollector(files))  # before the files are read
    MultiProcessCollector(registry, path=str(context.folder))
    registry.register(ProcessCollector(context.scoreboard))
    registry.register(WorkerCollector(context.scoreboard))
    registry.register(WarningCollector(context.warnings))
    registry.register(LogCollector(context.scoreboard))
    registry.register(StartFailureCollector(context.scoreboard))
    registry.register(ConnectionCollector(context.scoreboard))
    return registry

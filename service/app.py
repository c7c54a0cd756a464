"""The application factory: everything is built here, once, and passed along."""

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask import Flask
from werkzeug.routing import BaseConverter

from modelrepo.repository import ModelRepository
from service.codecs.limits import Limits
from service.inference.costly_images import CostlyImages
from service.inference.data_plane import DataPlane
from service.inference.registry import ModelRegistry
from service.inference.shadow import Shadows
from service.ipc.output import count_dropped_lines
from service.ipc.workspace import WorkerContext
from service.isolation.image_pool import ImagePool, PoolLimits
from service.lifecycle.bundle_loader import open_bundle
from service.lifecycle.model_control import ControlFile, ModelControl
from service.lifecycle.model_metrics import ModelInfoCollector, ModelLoadingCollector, count_loads
from service.lifecycle.planner import Planner
from service.lifecycle.readiness import Readiness
from service.lifecycle.reloader import ModelReloader
from service.lifecycle.trials import NoTrials, Trials
from service.lifecycle.version_cache import VersionCache
from service.lifecycle.worker_status import WorkerStatuses
from service.protocols.native import NativeProtocol
from service.protocols.openinference.operations import OpenInference, OpenInferenceRepository
from service.protocols.tfserving.operations import TensorFlowServing
from service.protocols.torchserve import TorchServe, describe_error
from service.server.background import ServedApp
from service.settings import Settings
from service.telemetry.access_log import AccessLog, Write, stdout_writer
from service.telemetry.metrics import Metrics, create_metrics
from service.telemetry.slow_requests import SlowRequestWatch
from service.web.auth import AdminKeys, InvalidKeys, read_keys
from service.web.error_handlers import ErrorForm, error_alone, handle_errors
from service.web.fast_path import FastPath
from service.web.hooks import admit_requests
from service.web.middleware import RequestMiddleware
from service.web.routes import health, v2
from service.web.routes.metrics import PATHS as METRICS_PATHS
from service.web.routes.metrics import metrics_routes
from service.web.routes.models import model_routes, summary_routes
from service.web.routes.pages import page_routes
from service.web.routes.predict import predict_routes
from service.web.routes.torchserve import PING, torchserve_routes
from service.web.routes.v1 import malformed_request, v1_routes

logger = logging.getLogger("convserve")


@dataclass(frozen=True)
class Service:
    """The Flask application, and what works beside its requests: models come and go, and shadows are compared."""

    app: Flask
    reloader: ModelReloader
    shadows: Shadows
    images: ImagePool


def create_served_app(settings: Settings, context: WorkerContext, trials: Trials) -> ServedApp:
    """The application of one worker, with its metrics, as `service.server` runs it."""
    count_dropped_lines(context.scoreboard, context.slot)
    SlowRequestWatch(context.scoreboard, context.slot).start()
    service = create_service(settings, create_metrics(context), context, stdout_writer(), trials)
    return ServedApp(
        service.app, event_sources=[service.reloader, service.images], idle_tasks=[service.shadows, service.images]
    )


def create_app(settings: Settings, metrics: Metrics, context: WorkerContext, write_log: Write) -> Flask:
    """The Flask application alone, for any WSGI server: it serves the models that it has loaded at its start."""
    return create_service(settings, metrics, context, write_log).app


def create_service(
    settings: Settings, metrics: Metrics, context: WorkerContext, write_log: Write, trials: Trials | None = None
) -> Service:
    """Load and verify the models, then put the routes in front of them. Without `trials` they are loaded untried."""
    limits = Limits(settings.max_pixels, settings.max_request_pixels, settings.max_images)
    repository = ModelRepository(settings.models)
    registry = ModelRegistry([], settings.default_model)
    control_file, statuses = ControlFile(context.folder), WorkerStatuses(context)
    beat = partial(context.scoreboard.beat, context.slot, settings.load_timeout)  # no other is due while it loads
    opener = partial(open_bundle, threads=settings.session_threads, limits=limits, on_begin=beat)
    cache = VersionCache(repository, opener, trials or NoTrials())
    planner = Planner(repository, settings.versions, cache, context.folder, context.warnings)
    on_plan = partial(count_loads, metrics)
    interval = settings.poll_interval
    reloader = ModelReloader(planner, registry, control_file, statuses, interval=interval, on_plan=on_plan)
    reloader.begin(context.beat)
    metrics.scrape.register(ModelInfoCollector(statuses))
    metrics.scrape.register(ModelLoadingCollector(statuses))
    readiness = Readiness(registry, context.scoreboard.is_shutting_down)
    metrics.scrape.register(readiness)

    control = ModelControl(repository, control_file, statuses, settings.request_timeout)
    open_repository = OpenInferenceRepository(registry, control)
    shadows = Shadows(registry, metrics.shadows)
    images = ImagePool(
        PoolLimits(1, settings.image_memory_mb << 20, settings.image_seconds, settings.request_timeout),
        metrics.image_jobs,
    )
    data_plane = DataPlane(metrics, shadows, CostlyImages(images))
    native = NativeProtocol(registry, data_plane)
    open_inference = OpenInference(
        registry, data_plane, metrics.statistics, readiness, limits=limits, instances=settings.workers
    )
    tensorflow_serving = TensorFlowServing(registry, data_plane, limits)
    torchserve = TorchServe(registry, data_plane, readiness)

    app = _create_flask(settings)
    admit_requests(
        app, settings.request_timeout, {*health.PATHS, *v2.HEALTH_PATHS, *v2.CONTROL_PATHS, *METRICS_PATHS, PING}
    )
    torchserve_errors = ErrorForm(describe_error)
    error_forms = {
        "v1": ErrorForm(error_alone, malformed_request),
        "v2": ErrorForm(error_alone),
        "predictions": torchserve_errors,
        "ping": torchserve_errors,
    }
    handle_errors(app, metrics, error_forms)
    for routes in (
        predict_routes(native, limits),
        v1_routes(tensorflow_serving),
        torchserve_routes(torchserve, limits),
        v2.v2_routes(open_inference, open_repository, _read_keys(settings)),
        summary_routes(registry),
        model_routes(registry),
        health.health_routes(registry, readiness, context.warnings),
        metrics_routes(metrics),
        page_routes(registry, settings),
    ):
        app.register_blueprint(routes)
    fast_path = FastPath(app.wsgi_app, native, settings)
    note, log = context.scoreboard.requests.note(context.slot), AccessLog(write_log, settings.log_format)
    app.wsgi_app = RequestMiddleware(fast_path, metrics, log, note)  # type: ignore[method-assign]
    return Service(app, reloader, shadows, images)


class Segment(BaseConverter):
    """A part of a path; without a colon, which is in front of the verbs of /v1: GET takes no name with a verb in it."""

    regex = "[^/:]+"
    part_isolating = True  # it has no slash


def _create_flask(settings: Settings) -> Flask:
    app = Flask("convserve", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # it would redirect, in HTML
    app.url_map.converters["default"] = Segment
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["MAX_FORM_PARTS"] = settings.max_images + 16  # files, and a few fields
    return app


def _read_keys(settings: Settings) -> AdminKeys | None:
    """The admin keys; every new worker reads them, so SIGHUP changes them. With an unreadable file no key is valid."""
    if settings.admin_keys == Path():
        return None
    try:
        return read_keys(settings.admin_keys)
    except InvalidKeys as error:
        logger.error("%s: no admin key is valid, so models cannot be loaded or unloaded", error)  # noqa: TRY400 - the sentence says all
        return AdminKeys([])

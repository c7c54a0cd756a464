"""The application factory: everything is built here, once, and passed along."""

import logging
from functools import partial
from pathlib import Path

from flask import Flask

from modelrepo.reader import Bundle
from modelrepo.repository import ModelRepository
from service.access_log import AccessLog, Write
from service.control import ModelControl
from service.dialects.native import NativeDialect
from service.dialects.openinference.dialect import OpenInference
from service.dialects.openinference.repository import OpenInferenceRepository
from service.dialects.tfserving.dialect import TensorFlowServing
from service.follower import Follower
from service.inference import Inference
from service.keys import AdminKeys, InvalidKeys, read_keys
from service.limits import Limits
from service.loader import Loader
from service.loadguard import LoadGuard
from service.metrics import Metrics
from service.modelinfo import ModelInfo
from service.observer import Observer
from service.orders import Orders
from service.planner import Plan, Planner
from service.predictor import Predictor
from service.readiness import Readiness
from service.registry import ModelRegistry
from service.reports import Reports
from service.routes import health, v2
from service.routes.admission import admit_requests
from service.routes.contents import BodyRequest
from service.routes.failures import handle_failures
from service.routes.models import model_routes
from service.routes.pages import page_routes
from service.routes.predict import predict_routes
from service.routes.scrape import metrics_routes
from service.routes.summary import summary_routes
from service.routes.v1 import v1_routes
from service.runtime import load_model
from service.seat import Seat
from service.settings import Settings
from service.shadows import Shadows
from service.shortcut import Shortcut

logger = logging.getLogger("convserve")


def create_app(settings: Settings, metrics: Metrics, seat: Seat, write_log: Write) -> Flask:
    """Load and verify the models, then put the routes in front of them.

    The worker's loop calls what is in `app.extensions`: the `follower`, so that models come and go, and the `shadows`,
    which compare when there is nothing else to do.
    """
    limits = Limits(settings.max_pixels, settings.max_request_pixels, settings.max_images)
    repository = ModelRepository(settings.models)
    registry = ModelRegistry([], settings.default_model)
    orders, reports, guard = Orders(seat.folder), Reports(seat), LoadGuard(seat.folder)
    loader = Loader(repository, partial(_open_bundle, threads=settings.session_threads, limits=limits), guard)
    planner = Planner(repository, settings.versions, loader, seat.folder)
    on_plan = partial(_count, metrics)
    follower = Follower(planner, registry, orders, reports, interval=settings.poll_interval, on_plan=on_plan)
    follower.begin()
    metrics.scrape.register(ModelInfo(reports))
    is_ending = seat.scoreboard.is_ending
    readiness = Readiness(registry, is_ending)
    metrics.scrape.register(readiness)

    control = ModelControl(repository, orders, reports, settings.request_timeout)
    open_repository = OpenInferenceRepository(registry, control)
    shadows = Shadows(registry, metrics.shadows)
    inference = Inference(metrics, shadows)
    native = NativeDialect(registry, inference)
    open_inference = OpenInference(registry, inference, metrics.statistics, limits, settings.workers)
    tensorflow_serving = TensorFlowServing(registry, inference, limits)

    app = _create_flask(settings)
    app.extensions["follower"], app.extensions["shadows"] = follower, shadows
    admit_requests(app, settings.request_timeout, {*health.PATHS, *v2.HEALTH_PATHS, *v2.ORDER_PATHS, "/metrics"})
    handle_failures(app, metrics)
    for routes in (
        predict_routes(native, limits),
        v1_routes(tensorflow_serving),
        v2.v2_routes(open_inference, open_repository, _read_keys(settings), is_ending),
        summary_routes(registry),
        model_routes(registry),
        health.health_routes(registry, readiness),
        metrics_routes(metrics),
        page_routes(registry, settings),
    ):
        app.register_blueprint(routes)
    shortcut = Shortcut(app.wsgi_app, native, settings)
    app.wsgi_app = Observer(shortcut, metrics, AccessLog(write_log, settings.log_format))  # type: ignore[method-assign]
    return app


def _create_flask(settings: Settings) -> Flask:
    app = Flask("convserve", static_folder=None)
    app.request_class = BodyRequest
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # it would redirect, in HTML
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["MAX_FORM_PARTS"] = settings.max_images + 16  # files, and a few fields that are ignored
    return app


def _open_bundle(bundle: Bundle, threads: int, limits: Limits) -> Predictor:
    metadata = bundle.metadata
    model = load_model(bundle.model, metadata.input, metadata.output, threads)
    return Predictor(metadata, bundle.digest, model, limits)


def _count(metrics: Metrics, plan: Plan) -> None:
    """Tell the metrics what was loaded, what was refused, and what cannot be followed."""
    for attempt in plan.attempts:
        tried = attempt.outcome
        if tried.failure:
            metrics.model_load_failures.labels(tried.name, str(tried.version), tried.failure).inc()
        else:
            metrics.model_load_seconds.labels(tried.name).observe(attempt.seconds)
    for subject in plan.problems:
        model, is_model, _ = subject.partition("/")
        labels = (model, "", "unreadable") if is_model else ("", "", subject)
        metrics.model_load_failures.labels(*labels).inc()


def _read_keys(settings: Settings) -> AdminKeys | None:
    """The admin keys, read by every new worker, so that SIGHUP changes them; a file that turned bad admits nobody."""
    if settings.admin_keys == Path():
        return None
    try:
        return read_keys(settings.admin_keys)
    except InvalidKeys as error:
        logger.error("%s: nobody may load or unload models", error)  # noqa: TRY400 - the sentence says all
        return AdminKeys([])

"""The application factory: everything is built here, once, and passed along."""

from functools import partial

from flask import Flask

from modelrepo.reader import Bundle
from modelrepo.repository import ModelRepository
from service.access_log import AccessLog, Write
from service.dialects.native import NativeDialect
from service.dialects.openinference.dialect import OpenInference
from service.dialects.tfserving.dialect import TensorFlowServing
from service.inference import Inference
from service.limits import Limits
from service.metrics import Metrics
from service.observer import Observer
from service.predictor import Predictor
from service.registry import ModelRegistry, load_registry
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
from service.settings import Settings
from service.shortcut import Shortcut


def create_app(settings: Settings, metrics: Metrics, write_log: Write) -> Flask:
    """Load and verify the models, then put the routes in front of them."""
    limits = Limits(settings.max_pixels, settings.max_request_pixels, settings.max_images)
    registry = load_registry(
        ModelRepository(settings.models),
        settings.versions,
        settings.default_model,
        partial(_open_bundle, threads=settings.session_threads, limits=limits),
    )
    _report(registry, metrics)

    inference = Inference(metrics)
    native = NativeDialect(registry, inference)
    open_inference = OpenInference(registry, inference, metrics.statistics, limits, settings.workers)
    tensorflow_serving = TensorFlowServing(registry, inference, limits)

    app = _create_flask(settings)
    admit_requests(app, settings.request_timeout, {*health.PATHS, *v2.HEALTH_PATHS, "/metrics"})
    handle_failures(app, metrics)
    for routes in (
        predict_routes(native, limits),
        v1_routes(tensorflow_serving),
        v2.v2_routes(open_inference),
        summary_routes(registry),
        model_routes(registry),
        health.health_routes(registry),
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


def _report(registry: ModelRegistry, metrics: Metrics) -> None:
    """Tell the metrics what is served and what is not."""
    for each in registry:
        if each.predictor:
            metrics.model_info.labels(each.name, str(each.version), each.predictor.digest).set(1)
        else:
            metrics.model_load_failures.labels(each.name, str(each.version), each.failure).inc()

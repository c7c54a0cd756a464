"""The Flask application for another WSGI server, such as gunicorn with its own workers."""

import os
import tempfile
from pathlib import Path

from flask import Flask

from service.app import create_app
from service.ipc.scoreboard import Scoreboard
from service.ipc.workspace import WorkerContext
from service.settings import read_settings
from service.telemetry.access_log import stdout_writer
from service.telemetry.metrics import create_metrics


def build() -> Flask:
    """Build it with the settings in the environment; gunicorn calls this in each worker."""
    context = WorkerContext(Path(tempfile.mkdtemp()), 0, Scoreboard())
    return create_app(read_settings(os.environ), create_metrics(context), context, stdout_writer())

"""Serving: Flask under gunicorn in front of ONNX Runtime. Never imports TensorFlow, Keras or the training side."""

__version__ = "0.1.0"  # as in pyproject.toml

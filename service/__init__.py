"""Serving: Flask under gunicorn in front of ONNX Runtime. Never imports TensorFlow, Keras or the training side."""

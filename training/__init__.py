"""Training: from a data set to a published bundle. Keras, TensorFlow, tf2onnx and ONNX Runtime; never Flask.

Modules that only read (`datasets`, `evaluation`, `verification`, `replay`), and models from elsewhere (`foreign`), do
without TensorFlow.
"""

"""Numbers and plots from probabilities, ONNX inference, verification, without TensorFlow. It imports `data`."""

"""A trained Keras network becomes ONNX, int8 on demand, and a bundle. It imports `engine`, `run` and rooms below."""

"""An ONNX file from elsewhere becomes a bundle. It imports `recipes`, `evaluation` and `data`; no TensorFlow."""

"""The import of ONNX files from other tools. It imports `recipes`, `evaluation` and `data`; no TensorFlow."""

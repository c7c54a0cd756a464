"""TensorFlow Serving's REST API, and KServe v1, which has the same paths, without HTTP."""

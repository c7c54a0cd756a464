"""The REST protocol of TensorFlow Serving, which is also KServe's v1. Imports what `protocols` may."""

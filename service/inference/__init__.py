"""Running models: registry, traffic split, predictor, ONNX Runtime, shadows.

Imports `codecs`, `telemetry` and the rooms below; the only user of onnxruntime.
"""

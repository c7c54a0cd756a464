"""Benchmarks: what serving costs beyond image decoding and ONNX Runtime. Imports service; no package imports bench."""

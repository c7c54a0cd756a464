"""Benchmarks: what serving costs beyond the decoding and the network that it cannot do without."""

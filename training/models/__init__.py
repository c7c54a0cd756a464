"""Keras networks and their layers, built from an architecture. It imports `data`, `files` and `errors`."""

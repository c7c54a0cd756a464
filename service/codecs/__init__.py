"""Bytes from clients become arrays, JSON and files, within limits. Imports `errors` and NumPy; not `telemetry`."""

"""Metrics, statistics, stage times and the access log. Imports `ipc` and prometheus_client; not `codecs`."""

"""The protocols that clients use: request bodies become inputs, results become response bodies. No HTTP.

Imports `lifecycle`, `inference`, `codecs`, `telemetry`; no protocol imports another one.
"""

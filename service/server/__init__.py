"""HTTP/1.1 and processes on gunicorn.

Imports `ipc`, `settings`, `errors`, `environ` and gunicorn; knows no Flask, no model, no metrics.
"""

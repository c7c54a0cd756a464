"""The Open Inference Protocol v2 (kserve/open-inference-protocol) with the extensions that Triton's clients use.

No HTTP here: documents and bytes in, documents and bytes out. The routes are in `service.routes.v2`.
"""

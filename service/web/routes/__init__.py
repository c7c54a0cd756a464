"""The HTTP routes, one file a group: each reads a body, calls a protocol and writes a response.

May import what `web` may.
"""

"""Processes of the service's own for work that may take any time or memory: limited, killed, replaced.

Imports `preprocessing`, `modelrepo` and the rooms below; nothing that answers requests.
"""

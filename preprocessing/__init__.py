"""Image files become the pixels that a network takes, as its bundle's contract says; used by service and training.

Imports NumPy, Pillow and `modelrepo`.
"""

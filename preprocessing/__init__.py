"""An image file becomes the pixels that a network takes, as the bundle's contract says; service and training share it.

Imports NumPy, Pillow and `modelrepo`.
"""

"""Images that are drawn, to be learned beside a data set's own: digits as more people write them, and what is none.

Needs NumPy, Pillow and `preprocessing`, no TensorFlow. Everything follows from a seed.
"""

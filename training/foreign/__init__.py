"""Models from elsewhere: a bundle made of an ONNX file that somebody else trained. Never TensorFlow.

What the graph says is read from it, what it cannot say is asked for, and what was read is tried before it is published.
"""

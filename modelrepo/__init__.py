"""The contract between training and serving: what a model bundle is, read by one reader, written by one writer.

Standard library only, so that both sides can depend on it and it depends on neither.
"""

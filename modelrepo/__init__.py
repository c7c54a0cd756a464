"""What a model bundle is: its metadata, golden images and files, one reader and one writer, and a repository's policy.

It imports the standard library only, so that service and training can share it.
"""

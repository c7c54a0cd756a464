"""Fitting: input pipeline, augmentation, optimizer, loop, checkpoints. It imports `recipes` and the rooms below."""

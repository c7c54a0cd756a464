"""The Open Inference Protocol v2, as Triton and KServe have it. Imports what `protocols` may."""

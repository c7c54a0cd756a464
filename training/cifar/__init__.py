"""The CIFAR data sets in the files that their authors publish, https://www.cs.toronto.edu/~kriz/cifar.html.

Four archives, the `python` and the `binary` version of CIFAR-10 and of CIFAR-100, packed or unpacked.
"""

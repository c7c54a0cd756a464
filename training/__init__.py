"""From a data set to a published bundle, without Flask. Folders are rooms; each `__init__` says what it may import."""

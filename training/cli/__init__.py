"""The command line: a file for each command, with its arguments and its function. It may import every other room."""

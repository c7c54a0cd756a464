"""The dialects without HTTP: one module or package each, and none knows another."""

"""How models come and go: watch, plan, load, verify, swap, report. Imports `inference` and the rooms below it."""

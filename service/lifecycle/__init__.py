"""How models are loaded, verified, replaced and unloaded while requests run. Imports `inference` and rooms below it."""

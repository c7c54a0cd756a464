"""Data sets in every form are read as splits of images and labels. It imports `errors`; only `download` needs Keras."""

"""Every form of a data set becomes a `Split` of images and labels. It imports `errors`; only `download` needs Keras."""

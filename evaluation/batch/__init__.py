"""Scores of any number of images, by the same batches that enlarge photos."""

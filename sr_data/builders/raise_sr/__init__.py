"""RAISE as a TensorFlow data set; importing this registers it as `raise_sr`."""

# Relative, because `tfds build FOLDER` imports this folder as a top-level package.
from .raise_sr_dataset_builder import Builder as Builder

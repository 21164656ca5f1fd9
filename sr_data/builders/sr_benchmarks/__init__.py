"""The benchmarks as a TensorFlow data set; importing this registers it as `sr_benchmarks`."""

# Relative, because `tfds build FOLDER` imports this folder as a top-level package.
from .sr_benchmarks_dataset_builder import Builder as Builder

"""TensorFlow Datasets builders, one a folder; they need the extra `datasets`."""

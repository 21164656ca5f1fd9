"""What TensorFlow Serving does with a model, without its binary: the same loader, by its C API."""

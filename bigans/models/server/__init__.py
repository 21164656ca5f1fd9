"""A model on a server of TensorFlow Serving: the calls, by gRPC and by REST."""

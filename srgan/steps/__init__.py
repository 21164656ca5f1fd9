"""One update of both networks: the model, the optimizers, the engines."""

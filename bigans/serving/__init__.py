"""TensorFlow Serving: the fused graph as a server loads it, and what it needs around it."""

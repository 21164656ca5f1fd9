"""What a server computes, in TensorFlow operations alone: no line of Python runs there."""

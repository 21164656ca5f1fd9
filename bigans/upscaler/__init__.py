"""One photo or many through a loaded pair of generators."""

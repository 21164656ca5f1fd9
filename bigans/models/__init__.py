"""A loaded pair of generators and its facts: one interface, a backend a file."""

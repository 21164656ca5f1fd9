"""A run from its settings to its export: data, loop, checkpoints, logs."""

"""A training run on disk: schedule, checkpoints, logs, weights, and the exported generator."""

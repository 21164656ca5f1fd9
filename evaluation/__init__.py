"""Scores of super-resolved images: the metrics, the benchmarks' tables and plots."""

"""Timings; each module prints one table. Not installed."""

"""Batches: their rate, their start, a million entries, and a simulation of a thousand workers."""

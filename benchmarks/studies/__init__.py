"""Experiments on networks and pictures; each prints a table or draws a sheet."""

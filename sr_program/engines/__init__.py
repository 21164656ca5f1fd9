"""Calls of one function in many processes, here or on a cluster; an engine is one module."""

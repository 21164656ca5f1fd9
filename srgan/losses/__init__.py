"""The losses of both branches, and those beyond the paper."""

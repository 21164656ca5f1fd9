"""From image files to aligned low- and high-resolution patches."""

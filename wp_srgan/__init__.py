"""WP-SRGAN, the vivid branch: weighted perception in two stages (paper, Section 3.3)."""

"""Visual comparison sheets, as in Figures 4, 6 and 7 of the paper."""

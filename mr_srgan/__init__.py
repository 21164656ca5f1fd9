"""MR-SRGAN, the faithful branch: memory residual blocks and a low RMSE (paper, Section 3.2)."""

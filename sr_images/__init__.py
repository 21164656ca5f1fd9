"""Pixels: reading and writing, luma, the rounding rule, MATLAB's bicubic, PSNR and SSIM."""

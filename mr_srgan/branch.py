"""MR-SRGAN as the programs for training and export take it."""

from mr_srgan.config import GeneratorConfig
from mr_srgan.gan import MrSrgan
from mr_srgan.generator import build_generator
from srgan.runs.branch import Branch

# Section 4.1: the best model by SSIM is kept.
MR_SRGAN = Branch("mr_srgan", GeneratorConfig, build_generator, MrSrgan, select_best=True)

"""Scores of super-resolved images: the metrics, the benchmarks' tables and plots."""

from pathlib import Path

from sr_program.own_packages import use_own

# The only package below whose name a file of the user's is likely to have.
use_own(["fusion"], Path(__file__).parent.parent)

"""Merge of a faithful and a vivid reconstruction by soft thresholding (paper, section 3.4)."""

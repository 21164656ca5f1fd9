"""The order of the 45 features; what they are made of is tested beside each part."""

import numpy as np
import pytest

from evaluation.metrics.ma_parts.divisive_normalization import normalized_bands
from evaluation.metrics.ma_parts.ggd_shape import fitted_shape
from evaluation.metrics.ma_parts.scale_mixture import scale_mixture_features
from evaluation.metrics.ma_parts.steerable_pyramid import steerable_pyramid
from evaluation.metrics.ma_parts.structural_term import structural_terms
from sr_images.imresize import imresize


@pytest.mark.parametrize("size", [(64, 71), (57, 60)])
def test_order(size):
    luma = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    features = scale_mixture_features(luma)
    assert features.shape == (45,)
    pyramid = steerable_pyramid(luma.astype(np.float64))
    fine, coarse = normalized_bands(pyramid)
    for band in range(6):
        assert features[band] == fitted_shape(fine[band])
        assert features[6 + band] == fitted_shape(coarse[band])
        together = np.concatenate([fine[band].ravel(), coarse[band].ravel()])
        assert features[12 + band] == fitted_shape(together)
        enlarged = imresize(pyramid.coarse[band], shape=size)
        pairs = [[pyramid.highpass, pyramid.fine[band]], [pyramid.highpass, enlarged]]
        terms = [structural_terms(pair, [(0, 1)])[0] for pair in pairs]
        np.testing.assert_allclose(features[[18 + band, 24 + band]], terms, rtol=1e-12)
    pairs = [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 2), (1, 3), (1, 4), (1, 5)]
    pairs += [(2, 3), (2, 4), (2, 5), (3, 4), (3, 5), (4, 5)]
    across = [structural_terms([fine[i], fine[j]], [(0, 1)])[0] for i, j in pairs]
    np.testing.assert_allclose(features[30:], across, rtol=1e-12)

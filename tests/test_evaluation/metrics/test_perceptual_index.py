import pytest

from evaluation.metrics.perceptual_index import perceptual_index


def test_by_hand():
    assert perceptual_index(ma=8.0, niqe=3.0) == 2.5
    assert perceptual_index(10, 0) == 0


def test_index_of_the_means_is_the_mean_of_the_indices():
    ma, niqe = [8.5, 6.0, 7.25], [2.5, 5.75, 4.0]
    of_means = perceptual_index(sum(ma) / 3, sum(niqe) / 3)
    indices = [perceptual_index(*scores) for scores in zip(ma, niqe, strict=True)]
    assert of_means == pytest.approx(sum(indices) / 3)

"""The perceptual index of the PIRM 2018 challenge."""


def perceptual_index(ma: float, niqe: float) -> float:
    """((10 - Ma) + NIQE) / 2; lower is better.

    Of a set of images it is the index of the mean scores, which is also the mean of the images'
    indices.

    Args:
        ma: score of Ma et al., of an image or the mean of a set; 0..10, higher is better.
        niqe: NIQE of the same; >= 0, lower is better.

    Reference: Y. Blau et al., "The 2018 PIRM challenge on perceptual image super-resolution", ECCV
    workshops 2018.
    """
    return ((10 - ma) + niqe) / 2

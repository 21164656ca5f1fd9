"""Bands of a steerable pyramid, each coefficient divided by how strong its surroundings are.

A neighbourhood Y of a coefficient holds the 3x3 coefficients around it, those of the other
orientations at its place, and, for some bands, the one of the coarser scale. With C the matrix of
the neighbourhoods' second moments, z = sqrt(Y' C^-1 Y / N) estimates the multiplier of a Gaussian
scale mixture; what is left after the division is nearly Gaussian for photographs.

Part of the definition of the metric of Ma et al., though hardly intended: the last orientation of
the fine scale has no coarser neighbour, and N does not count the other orientations.

Reference: M. Wainwright, E. Simoncelli, "Scale mixtures of Gaussians and the statistics of natural
images", 1999.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.ma_parts.steerable_pyramid import SteerablePyramid
from sr_images.imresize import imresize

FINE_GUARD, COARSE_GUARD = 16, 8
_RING = 1

Floats = NDArray[np.float64]

# Entries of the matrices that are made at once: few enough for the processor's cache. They are
# multiplied in pieces of so few columns that BLAS does not share out the work: its threads get in
# each other's way where many images are scored.
_CHUNK = 50_000
_LONGEST_PIECE = 1024


def normalized_bands(pyramid: SteerablePyramid) -> tuple[list[Floats], list[Floats]]:
    """Normalises the oriented bands.

    Args:
        pyramid: of an image [H, W], at least 45x45.

    Returns:
        Six float64 bands [H - 34, W - 34] of the fine scale, and six [H2 - 18, W2 - 18] of the
        coarse one; each of mean 0.

    Raises:
        ValueError: a neighbourhood holds nothing but zeros, as in flat images.
    """
    height, width = pyramid.fine[0].shape
    parents = [imresize(band, scale=2)[:height, :width] for band in pyramid.coarse[:-1]]
    return (
        normalized_scale(pyramid.fine, parents, FINE_GUARD),
        normalized_scale(pyramid.coarse, [], COARSE_GUARD),
    )


def normalized_scale(
    bands: Sequence[Floats], parents: Sequence[Floats], guard: int
) -> list[Floats]:
    """Normalises the bands of one scale.

    Args:
        bands: float64 [H, W] each, one an orientation.
        parents: float64 [H, W] each, the coarser bands at this size, of the first orientations.
        guard: what is cut off from all sides in the end, besides a ring of one.

    Returns:
        float64 [H - 2 * (guard + 1), W - 2 * (guard + 1)] each, of mean 0.

    Raises:
        ValueError: a neighbourhood holds nothing but zeros, as in flat images.
    """
    neighbourhoods = _Neighbourhoods(bands, parents)
    whitenings = [_whitening(moments) for moments in neighbourhoods.second_moments()]
    energies = neighbourhoods.energies(whitenings, _RING + guard)
    inner, kept = (slice(cut, -cut) for cut in (_RING, _RING + guard))
    normalized = []
    for orientation, (band, energy) in enumerate(zip(bands, energies, strict=True)):
        if not np.all(energy):
            raise ValueError(
                "the metric of Ma et al. is not defined for this image: a band of its steerable "
                "pyramid is empty somewhere, as in flat images"
            )
        # 3x3 and perhaps a parent; the other orientations do not count
        z = np.sqrt(energy / (10 if orientation < len(parents) else 9))
        result = (band[kept, kept] - np.mean(band[inner, inner])) / z
        normalized.append(result - np.mean(result))
    return normalized


class _Neighbourhoods:
    """The neighbourhoods of all coefficients of a scale, as the columns of matrices.

    Args:
        bands: float64 [H, W] each, one an orientation.
        parents: float64 [H, W] each, of the first orientations.
    """

    def __init__(self, bands: Sequence[Floats], parents: Sequence[Floats]) -> None:
        self._height, self._width = bands[0].shape
        self._bands = [band.reshape(-1) for band in bands]
        self._parents = [parent.reshape(-1) for parent in parents]
        self._shifts = [
            row * self._width + column
            for row in (-1, 0, 1)
            for column in (-1, 0, 1)
            if row or column
        ]

    def second_moments(self) -> list[Floats]:
        """Mean products of every two neighbours, without the outer ring; one an orientation."""
        sizes = [self._size(orientation) for orientation in range(len(self._bands))]
        totals = [np.zeros((size, size)) for size in sizes]
        for _, orientation, pieces in self._matrices(_RING):
            # in two parts: a small matrix times its own transpose takes a slower routine of BLAS
            for part in np.s_[:7], np.s_[7:]:
                products = pieces[:, part] @ pieces.swapaxes(1, 2)
                totals[orientation][part] += products.sum(axis=0)
        area = (self._height - 2 * _RING) * (self._width - 2 * _RING)
        return [total / area for total in totals]

    def energies(self, whitenings: Sequence[Floats], margin: int) -> list[Floats]:
        """Squared lengths of the whitened neighbourhoods inside of a margin; one an orientation."""
        shape = (self._height - 2 * margin, self._width)
        energies = [np.empty(shape) for _ in self._bands]
        for rows, orientation, pieces in self._matrices(margin):
            white = whitenings[orientation] @ pieces
            line = energies[orientation][rows].reshape(-1)[1:-1]
            line[:] = np.einsum("pnc,pnc->pc", white, white).reshape(-1)[: line.size]
        return [energy[:, margin:-margin] for energy in energies]

    def _size(self, orientation: int) -> int:
        has_parent = orientation < len(self._parents)
        return len(self._bands) + len(self._shifts) + has_parent

    def _matrices(self, margin: int) -> Iterator[tuple[slice, int, Floats]]:
        """Rows, counted from the margin; an orientation; and its neighbourhoods in those rows.

        Several rows are taken as one line, so that every neighbour is a plain slice of it. It
        starts at the second coefficient and ends before the last. In the ring between two rows, and
        behind the end, neighbourhoods are zero. The matrices are [pieces, neighbours, columns].
        """
        width, num_bands = self._width, len(self._bands)
        step = max(1, _CHUNK // (self._size(0) * width))
        num_pieces = -(-step * width // _LONGEST_PIECE)
        length = -(-step * width // num_pieces)
        buffer = np.zeros((self._size(0), num_pieces * length))
        pieces = buffer.reshape(len(buffer), num_pieces, length).swapaxes(0, 1)
        for start in range(margin, self._height - margin, step):
            stop = min(start + step, self._height - margin)
            first, last = start * width + 1, stop * width - 1
            columns = buffer[:, : last - first]
            buffer[:, last - first :] = 0
            for column, band in zip(columns[:num_bands], self._bands, strict=True):
                column[:] = band[first:last]
            for orientation, band in enumerate(self._bands):
                around = columns[num_bands : self._size(orientation)]
                for column, shift in zip(around, self._shifts, strict=False):
                    column[:] = band[first + shift : last + shift]
                if orientation < len(self._parents):
                    around[-1] = self._parents[orientation][first:last]
                columns[:, width - 2 :: width] = 0
                columns[:, width - 1 :: width] = 0
                rows = slice(start - margin, stop - margin)
                yield rows, orientation, pieces[:, : self._size(orientation)]


def _whitening(moments: Floats) -> Floats:
    """W with W' W = pinv(C'), where C' is C made positive semidefinite and of the same trace."""
    values, vectors = np.linalg.eigh(moments)
    positive = np.maximum(values, 0)
    if positive.any():
        positive *= values.sum() / positive.sum()
    kept = positive > len(values) * np.spacing(positive.max())
    return (vectors[:, kept] / np.sqrt(positive[kept])).T

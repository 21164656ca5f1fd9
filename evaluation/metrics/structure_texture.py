"""Structure and texture of VGG19's features, compared as DISTS compares them. It is not DISTS.

From DISTS (Ding, Ma, Wang and Simoncelli, "Image quality assessment: unifying structure and texture
similarity", arXiv 2004.07728) are the two similarities of each feature map, its poolings, and the
image itself as a first set of maps. DISTS takes VGG16 up to conv5_3 and weights that were learned
from people's judgements. This takes VGG19 up to block3_conv4, and one weight for every map. So its
numbers must not be compared with those of DISTS, and it was fitted to nobody's eye.

It needs NumPy alone: scoring processes load no TensorFlow for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from srgan.vgg.layers import IMAGENET_MEAN_BGR, layers_up_to
from srgan.vgg.weights import load_vgg_weights

LAST_LAYER = "block3_conv4"

# The features compared, each after its ReLU; all lie before a pooling or at the end.
COMPARED = ("block1_conv2", "block2_conv2", LAST_LAYER)

# c1 and c2 of DISTS, for maps that are zero or flat.
_STABILIZER = 1e-6

_MEAN_BGR = np.array(IMAGENET_MEAN_BGR, np.float32)

# Hann's window of 5 without its zeros at the ends: DISTS pools with its outer product.
_HANN = np.array([0.25, 0.5, 0.25], np.float32)

# Two poolings must leave 4x4 values of each map.
_SMALLEST = 16

# Values of a matrix of image patches: bounds the memory, and stays in the processor's cache.
_PATCH_VALUES = 1 << 20

# References of more pixels are computed for each image anew: a pixel's maps take 460 bytes.
_KEPT_PIXELS = 1 << 19

Maps = NDArray[np.float32]


class StructureTextureDistance:
    """One minus the mean structure and texture similarity of two RGB images' feature maps.

    Of the 451 maps of both images (red, green and blue in [0, 1]; 64, 128 and 256 features) each
    counts the same, and of a map its texture l and its structure s:

        distance = 1 − mean over maps of (l + s) / 2

    0 for equal images; larger is worse; at most 1.5, because features are not negative.
    """

    def __init__(self, weights: str | os.PathLike[str]) -> None:
        """Loads VGG19.

        Args:
            weights: File of its ImageNet weights, see `srgan.vgg.weights.load_vgg_weights`.

        Raises:
            DataError: The file is missing, unreadable, or of another network.
        """
        loaded = load_vgg_weights("vgg19", LAST_LAYER, os.fspath(weights))
        self._layers = [
            (layer.name, layer.block > 1 and layer.position == 1, *loaded[layer.name])
            for layer in layers_up_to("vgg19", LAST_LAYER)
        ]
        self._kept: tuple[NDArray[np.uint8], list[Maps]] | None = None

    def __call__(self, reference: NDArray[np.uint8], image: NDArray[np.uint8]) -> float:
        """Compares two images, uint8 [H, W, 3], RGB, no side under 16 pixels.

        Raises:
            ValueError: They are smaller, or of different sizes.
        """
        if reference.shape != image.shape:
            raise ValueError(f"images of {reference.shape} and {image.shape} cannot be compared")
        if min(image.shape[:2]) < _SMALLEST:
            size = f"{image.shape[1]}x{image.shape[0]}"
            raise ValueError(f"structure and texture need 16x16 pixels, the image has {size}")
        similarities = [
            np.concatenate(texture_and_structure(first, second))
            for first, second in zip(self._kept_maps(reference), self.maps(image), strict=True)
        ]
        return 1 - float(np.mean(np.concatenate(similarities)))

    def _kept_maps(self, reference: NDArray[np.uint8]) -> Iterable[Maps]:
        """A reference's maps; those of the last one are kept, for its other versions follow."""
        if self._kept is not None and np.array_equal(self._kept[0], reference):
            return self._kept[1]
        self._kept = None
        if reference.shape[0] * reference.shape[1] > _KEPT_PIXELS:
            return self.maps(reference)
        self._kept = reference.copy(), list(self.maps(reference))
        return self._kept[1]

    def maps(self, image: NDArray[np.uint8]) -> Iterator[Maps]:
        """The image in [0, 1] and its features, one set of maps after the other.

        Args:
            image: uint8 [H, W, 3], RGB.

        Yields:
            float32 [H / 2ⁿ, W / 2ⁿ, C], rounded up, for n poolings before the layer.
        """
        yield (image / 255).astype(np.float32)
        maps = image[..., ::-1].astype(np.float32) - _MEAN_BGR
        for name, pooled, kernel, bias in self._layers:
            if pooled:
                maps = l2_pooling(maps)
            maps = convolve_and_rectify(maps, kernel, bias)
            if name in COMPARED:
                yield maps


def texture_and_structure(
    first: Maps, second: Maps
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The similarities of DISTS, over the whole of each map.

        texture   l = (2 μx μy + c1) / (μx² + μy² + c1)
        structure s = (2 σxy + c2) / (σx² + σy² + c2)       c1 = c2 = 10⁻⁶

    Args:
        first: [H, W, C].
        second: The same shape.

    Returns:
        l and s, float64 [C]; both 1 for equal maps.

    Reference: arXiv 2004.07728, Section 2.2, the equations of l and s.
    """
    x, y = (maps.reshape(-1, maps.shape[-1]) for maps in (first, second))
    mean_x, mean_y = x.mean(axis=0, dtype=np.float64), y.mean(axis=0, dtype=np.float64)
    x, y = x - mean_x.astype(x.dtype), y - mean_y.astype(y.dtype)
    variances = (x * x + y * y).mean(axis=0, dtype=np.float64)
    covariance = (x * y).mean(axis=0, dtype=np.float64)
    texture = (2 * mean_x * mean_y + _STABILIZER) / (mean_x**2 + mean_y**2 + _STABILIZER)
    return texture, (2 * covariance + _STABILIZER) / (variances + _STABILIZER)


def l2_pooling(maps: Maps) -> Maps:
    """Halves maps by the root of a local mean of squares, which does not alias as a maximum does.

    √(g ∗ x²) at every second pixel from the first, g the 3x3 Hann window, zeros outside.

    Args:
        maps: float32 [H, W, C].

    Returns:
        float32 [⌈H / 2⌉, ⌈W / 2⌉, C].

    Reference: arXiv 2004.07728, Section 2.1, the equation of P(x).
    """
    padded = np.pad(maps * maps, ((1, 1), (1, 1), (0, 0)))
    height, width = ((side + 1) // 2 for side in maps.shape[:2])
    outer, middle, _ = _HANN
    rows = [padded[i : i + 2 * height - 1 : 2] for i in range(3)]
    down = outer * (rows[0] + rows[2]) + middle * rows[1]
    columns = [down[:, j : j + 2 * width - 1 : 2] for j in range(3)]
    return np.sqrt(outer * (columns[0] + columns[2]) + middle * columns[1])


def convolve_and_rectify(maps: Maps, kernel: Maps, bias: Maps) -> Maps:
    """A 3x3 convolution with zeros outside of the image, and ReLU; a few rows at a time.

    Args:
        maps: float32 [H, W, I].
        kernel: float32 [3, 3, I, O].
        bias: float32 [O].

    Returns:
        float32 [H, W, O].
    """
    height, width, channels = maps.shape
    matrix = kernel.reshape(9 * channels, -1)
    padded = np.pad(maps, ((1, 1), (1, 1), (0, 0)))
    result = np.empty((height, width, len(bias)), np.float32)
    step = max(1, _PATCH_VALUES // (width * 9 * channels))
    patches = np.empty((step, width, 9, channels), np.float32)
    for top in range(0, height, step):
        rows = min(step, height - top)
        for place in range(9):
            i, j = divmod(place, 3)
            patches[:rows, :, place] = padded[top + i : top + i + rows, j : j + width]
        products = patches[:rows].reshape(rows * width, -1) @ matrix
        np.maximum(products + bias, 0, out=result[top : top + rows].reshape(products.shape))
    return result

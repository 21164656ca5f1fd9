"""Prediction by a random forest of regression trees, all trees at once.

Reference: L. Breiman, "Random forests", 2001.
"""

import numpy as np
from numpy.typing import NDArray


class RegressionForest:
    """Trees of binary splits; their mean is the prediction.

    Args:
        left: whole numbers [nodes, trees], the node (1-based) where a feature is at most the split
            value, 0 at leaves. The first node is the root; daughters have higher numbers.
        right: likewise, where it is above.
        feature: whole numbers [nodes, trees], which feature is compared (1-based); any at leaves.
        split: float64 [nodes, trees], the split value; any at leaves.
        value: float64 [nodes, trees], the prediction; any at inner nodes.
        num_features: how many features there are.
        correction: None, or (offset, factor) applied to the mean.

    Raises:
        ValueError: arrays of different shapes, or no trees are described by them.
    """

    def __init__(
        self,
        left: NDArray[np.integer],
        right: NDArray[np.integer],
        feature: NDArray[np.integer],
        split: NDArray[np.float64],
        value: NDArray[np.float64],
        num_features: int,
        correction: tuple[float, float] | None = None,
    ) -> None:
        if left.ndim != 2 or left.size == 0:
            raise ValueError(f"trees of shape {list(left.shape)}")
        if any(array.shape != left.shape for array in (right, feature, split, value)):
            raise ValueError("the arrays of the trees differ in shape")
        used = max(int(left.max()), int(right.max()), 1)
        if used > len(left):
            raise ValueError("a tree has daughters that do not exist")
        # much of the room for nodes is not used
        left, right, feature = left[:used].T, right[:used].T, feature[:used].T
        leaf = left == 0
        self._check(left, right, feature, leaf, num_features)
        itself = np.arange(used)
        # narrow numbers: the official model has ten million nodes
        index_type = np.min_scalar_type(used)
        self._left = np.where(leaf, itself, left - 1).astype(index_type)
        self._right = np.where(leaf, itself, right - 1).astype(index_type)
        narrow = np.min_scalar_type(num_features)
        self._feature = np.where(leaf, 0, feature - 1).astype(narrow)
        self._threshold_or_value = np.where(leaf, value[:used].T, split[:used].T)
        if not np.all(np.isfinite(self._threshold_or_value)):
            raise ValueError("the trees hold values that are not finite")
        self._num_features = num_features
        self._correction = correction

    @staticmethod
    def _check(
        left: NDArray[np.integer],
        right: NDArray[np.integer],
        feature: NDArray[np.integer],
        leaf: NDArray[np.bool_],
        num_features: int,
    ) -> None:
        itself = np.arange(1, left.shape[1] + 1)
        # a daughter behind its mother: every walk comes to an end
        if not np.all(leaf | ((left > itself) & (right > itself))):
            raise ValueError("a tree has a daughter that is not behind its mother")
        if not np.all(leaf | ((feature >= 1) & (feature <= num_features))):
            raise ValueError(f"a tree asks for another feature than 1 to {num_features}")

    def predict(self, features: NDArray[np.float64]) -> float:
        """The mean of the leaves that some features lead to.

        Args:
            features: float64 [features]. A feature that is equal to a split value goes left.

        Raises:
            ValueError: another shape.
        """
        if features.shape != (self._num_features,):
            raise ValueError(f"expected {self._num_features} features, got {list(features.shape)}")
        trees = np.arange(len(self._left))
        node = np.zeros(len(trees), np.intp)
        while True:
            threshold = self._threshold_or_value[trees, node]
            goes_left = features[self._feature[trees, node]] <= threshold
            following = np.where(goes_left, self._left[trees, node], self._right[trees, node])
            if np.array_equal(following, node):  # leaves lead to themselves
                break
            node = following.astype(np.intp)
        mean = float(np.mean(threshold))
        if self._correction is None:
            return mean
        offset, factor = self._correction
        return offset + factor * mean

"""The learned part of the metric of Ma et al.: three regression forests and how they are joined.

The official file, model.mat, holds a struct `model` with `linear` [4], an intercept and a weight
for each forest, and `rf`, a cell of three structs, one forest for each group of features. Of a
forest's fields these are used: lDau, rDau (daughters), mbest (feature), upper (split value), avnode
(value), coef (bias correction). A node is a leaf where lDau is 0; `nodestatus` would say the same,
but in files written by MATLAB its cells are of the wrong width.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from numpy.typing import NDArray

from evaluation.metrics.ma_parts.regression_forest import RegressionForest
from sr_program.errors import DataError, reason

GROUPS = (18, 45, 75)
"""Numbers of features: block DCT, scale mixture, singular values."""

_TREE_FIELDS = ("lDau", "rDau", "mbest", "upper", "avnode")


@dataclass(frozen=True)
class MaModel:
    """Three forests, one a group of features, and their weights.

    Attributes:
        linear: float64 [4], an intercept and the weights of the forests' predictions.
        forests: one a group.
    """

    linear: NDArray[np.float64]
    forests: tuple[RegressionForest, ...]

    def predictions(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each forest says, float64 [3], of features float64 [138]."""
        groups = np.split(features, np.cumsum(GROUPS)[:-1])
        pairs = zip(self.forests, groups, strict=True)
        return np.array([forest.predict(group) for forest, group in pairs])

    def score(self, features: NDArray[np.float64]) -> float:
        """The metric, of features float64 [138]."""
        return float(self.linear[0] + self.predictions(features) @ self.linear[1:])


def load_model(path: Path) -> MaModel:
    """Reads a model file.

    Args:
        path: a MATLAB file of the official model's layout.

    Raises:
        DataError: it is missing, or is no such file.
    """
    try:
        return _model_of(_struct(path))
    except OSError as error:
        problem = f"cannot be read ({reason(error)})"
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        problem = f"does not hold the model of Ma et al. ({reason(error)})"
    raise DataError(f"{path}: {problem}; name model.mat of their repository sr-metric")


def _struct(path: Path) -> Any:
    """The variable `model`, its structs as objects with attributes."""
    with path.open("rb") as file:
        try:
            # characters as they are: joining those of the field that is not used takes a while
            content = scipy.io.loadmat(file, struct_as_record=False, chars_as_strings=False)
        except Exception as error:  # a damaged file can make the reader fail in any way
            raise ValueError(f"not a readable MATLAB file: {error}") from error
    if "model" not in content:
        raise ValueError("it has no variable 'model'")
    return content["model"].ravel()[0]


def _model_of(struct: Any) -> MaModel:
    linear = np.asarray(struct.linear, np.float64).ravel()
    if linear.shape != (1 + len(GROUPS),) or not np.all(np.isfinite(linear)):
        raise ValueError(f"linear must be {1 + len(GROUPS)} numbers")
    forests = np.asarray(struct.rf).ravel()
    if len(forests) != len(GROUPS):
        raise ValueError(f"rf must be {len(GROUPS)} forests, is {len(forests)}")
    return MaModel(
        linear,
        tuple(
            _forest(np.asarray(forest).ravel()[0], num_features)
            for forest, num_features in zip(forests, GROUPS, strict=True)
        ),
    )


def _forest(struct: Any, num_features: int) -> RegressionForest:
    left, right, feature, split, value = (getattr(struct, name) for name in _TREE_FIELDS)
    offset, factor = np.asarray(struct.coef, np.float64).ravel()
    return RegressionForest(
        left,
        right,
        feature,
        split,
        value,
        num_features,
        (float(offset), float(factor)) if offset or factor else None,
    )

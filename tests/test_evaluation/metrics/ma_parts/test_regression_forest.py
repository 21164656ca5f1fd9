import numpy as np
import pytest

from evaluation.metrics.ma_parts.regression_forest import RegressionForest

# Two trees over three features. The first: feature 2 at most 0.5? 10, else feature 3 at most -1?
# 20, else 30. The second is a single leaf; what its unused nodes hold must not be read.
LEFT = np.array([[2, 0], [0, 0], [4, 0], [0, 0], [0, 0], [0, 0]], np.int32)
RIGHT = np.array([[3, 0], [0, 0], [5, 0], [0, 0], [0, 0], [0, 0]], np.int32)
FEATURE = np.array([[2, 0], [0, 0], [3, 0], [0, 0], [0, 0], [0, 0]], np.int32)
SPLIT = np.array([[0.5, np.nan], [0, 0], [-1, 0], [0, 0], [0, 0], [0, 0]])
VALUE = np.array([[1e9, 4], [10, 1e9], [1e9, 0], [20, 0], [30, 0], [np.nan, np.inf]])


def forest(**changes):
    arrays = dict(left=LEFT, right=RIGHT, feature=FEATURE, split=SPLIT, value=VALUE)
    return RegressionForest(**{**arrays, "num_features": 3, **changes})


def changed(array, row, tree, value):
    array = array.copy()
    array[row, tree] = value
    return array


@pytest.mark.parametrize(
    ("features", "leaf"),
    [
        ([9, 0.4, 9], 10),
        ([9, 0.5, 9], 10),  # equal: left
        ([9, np.nextafter(0.5, 1), -1], 20),
        ([9, 0.6, np.nextafter(-1, 0)], 30),
        ([-9, 7, -0.9], 30),
    ],
)
def test_by_hand(features, leaf):
    assert forest().predict(np.array(features)) == (leaf + 4) / 2


def test_bias_correction():
    features = np.array([9, 0.4, 9])
    assert forest(correction=(1.0, 2.0)).predict(features) == 1 + 2 * 7
    assert forest(correction=(0.0, 0.5)).predict(features) == 3.5


def random_forest(random, nodes, trees, features):
    """Trees of random shapes; daughters are allocated in pairs."""
    left, right, feature = (np.zeros((nodes, trees), np.int32) for _ in range(3))
    for tree in range(trees):
        used, leaves = 1, [1]
        while used + 2 <= nodes and random.uniform() > 0.01:
            mother = leaves.pop(random.integers(len(leaves)))
            left[mother - 1, tree], right[mother - 1, tree] = used + 1, used + 2
            feature[mother - 1, tree] = random.integers(1, features + 1)
            leaves += [used + 1, used + 2]
            used += 2
    # few values, so that many comparisons are ties
    split = random.integers(0, 5, (nodes, trees)).astype(float)
    return left, right, feature, split, random.normal(size=(nodes, trees))


def walk(left, right, feature, split, value, features):
    """One tree after the other, node after node, as the definition says."""
    total = 0.0
    for tree in range(left.shape[1]):
        node = 1
        while left[node - 1, tree] != 0:
            goes_left = features[feature[node - 1, tree] - 1] <= split[node - 1, tree]
            node = (left if goes_left else right)[node - 1, tree]
        total += value[node - 1, tree]
    return total / left.shape[1]


@pytest.mark.parametrize(("nodes", "trees"), [(1, 1), (3, 2), (61, 40), (301, 25)])
def test_agrees_with_a_walk(nodes, trees):
    random = np.random.default_rng(nodes)
    arrays = random_forest(random, nodes, trees, 7)
    metric = RegressionForest(*arrays, num_features=7)
    for _ in range(40):
        features = random.integers(0, 5, 7).astype(float)
        assert metric.predict(features) == pytest.approx(walk(*arrays, features), abs=1e-12)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"left": LEFT[:, :0]}, "shape"),
        ({"left": LEFT[0]}, "shape"),
        ({"right": RIGHT[:-1]}, "differ in shape"),
        ({"left": changed(LEFT, 0, 0, 7)}, "do not exist"),
        ({"right": changed(RIGHT, 2, 0, 7)}, "do not exist"),
        ({"left": changed(LEFT, 2, 0, 1)}, "behind its mother"),  # would never end
        ({"right": changed(RIGHT, 2, 0, 3)}, "behind its mother"),
        ({"right": changed(RIGHT, 2, 0, -1)}, "behind its mother"),
        ({"left": changed(LEFT, 0, 0, -2)}, "behind its mother"),
        ({"feature": changed(FEATURE, 0, 0, 0)}, "feature"),
        ({"feature": changed(FEATURE, 0, 0, 4)}, "feature"),
        ({"split": changed(SPLIT, 2, 0, np.nan)}, "finite"),
        ({"value": changed(VALUE, 3, 0, np.inf)}, "finite"),
    ],
)
def test_what_is_no_forest(changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        forest(**changes)


def test_another_number_of_features():
    with pytest.raises(ValueError, match="3 features"):
        forest().predict(np.zeros(2))

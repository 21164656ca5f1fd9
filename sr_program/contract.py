"""The bridge between training and everything after it: what a SavedModel of this program offers.

A SavedModel is known by its signatures alone. This is the one list of their names, of the names of
what they take and give, and of the numbers that hold where a caller gives none; and the one
comparison of a model that was written with the one in memory.

    generator:    serving_default, unrounded: image → sr
                  from_levels:                levels → sr
    fused model:  serving_default:            image, xi, max_deviation → sr
                  components:                 the same → faithful, vivid, deviation
                  generators:                 image → faithful, vivid
                  from_levels:                levels → faithful, vivid
                  deviations:                 faithful, vivid → deviations
                  merge:                      faithful, vivid, limits → sr
    for a server: serving_default, unrounded, components, generators, from_levels as above;
                  image_only:                 image → sr
                  bytes:                      image_bytes, xi, max_deviation, jpeg_quality
                                              → sr_bytes
                  model_info:                 nothing → model_info
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sr_program.errors import DataError

# Programs take their flags' defaults from here, and --help does not wait for NumPy.
if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# Signatures.
SERVING = "serving_default"
UNROUNDED = "unrounded"
FROM_LEVELS = "from_levels"
COMPONENTS = "components"
GENERATORS = "generators"
DEVIATIONS = "deviations"
MERGE = "merge"

# Signatures of an export for a server, and names of theirs alone. (REST writes base64 for outputs
# whose names end in _bytes.)
IMAGE_ONLY = "image_only"
BYTES = "bytes"
MODEL_INFO = "model_info"
IMAGE_BYTES = "image_bytes"
JPEG_QUALITY = "jpeg_quality"
SR_BYTES = "sr_bytes"

# What they take: the photo, uint8 [B, H, W, 3], or the same as unrounded grey levels in [0, 255],
# float32; ξ; and grey levels that take the place of ξ.
IMAGE = "image"
LEVELS = "levels"
XI = "xi"
MAX_DEVIATION = "max_deviation"

# What they give: the result; and the images of the two generators before they are merged.
SR = "sr"
FAITHFUL = "faithful"
VIVID = "vivid"

# The paper's choice, Section 4.3.
DEFAULT_XI = 0.73

# A max_deviation that leaves the choice to ξ: any number below 0.
USE_XI = -1.0

# Values of (ξ, max_deviation) that a written model is tried at: one of each kind.
TRIED = ((DEFAULT_XI, USE_XI), (0.2, 4.0))

# Grey levels by which a written model may differ: another choice of convolution kernels moves a
# value by rounding errors, and one that lies on a half by a whole level; lost weights or a wrong
# graph move it far.
OF_ROUNDED, OF_UNROUNDED = 1.0, 0.01


def differing(
    expected: Mapping[str, ArrayLike],
    found: Mapping[str, ArrayLike],
    of_unrounded: float = OF_UNROUNDED,
) -> tuple[str, float] | None:
    """Compares what two models make of the same inputs.

    Args:
        expected: The outputs of the one by name, uint8 or float grey levels.
        found: Those of the other.
        of_unrounded: By how many grey levels floats may differ. Whole levels may by one.

    Returns:
        The first output that differs by more, and by how many grey levels (NaN, if one is not a
        number); None if there is none.
    """
    import numpy as np

    for name, value in expected.items():
        reference = np.asarray(value)
        allowed = OF_ROUNDED if reference.dtype == np.uint8 else of_unrounded
        difference = np.abs(np.asarray(found[name], float) - reference).max()
        if not difference <= allowed:
            return name, float(difference)
    return None


def check_written(
    path: Path,
    signature: str,
    expected: Mapping[str, ArrayLike],
    found: Mapping[str, ArrayLike],
    of_unrounded: float = OF_UNROUNDED,
) -> None:
    """Asks that a written model gives what the one in memory gives.

    Args:
        path: Of what was written, for the message.
        signature: What was run.
        expected: What the model in memory gives, by name.
        found: What the written one gives, by name.
        of_unrounded: See `differing`.

    Raises:
        DataError: It does not.
    """
    wrong = differing(expected, found, of_unrounded)
    if wrong is not None:
        output, difference = wrong
        raise DataError(
            f"{path}: the written model's {signature} differs from the one in memory, "
            f"{output} by {difference:.2g} grey levels"
        )

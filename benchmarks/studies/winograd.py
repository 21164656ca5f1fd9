"""Times Winograd's minimal filtering for the 3x3 body convolution, made of TensorFlow operations.

    python -m benchmarks.studies.winograd --sides=128,256

F(m x m, 3 x 3) makes m x m outputs of m + 2 squared products instead of 9 m squared: 2.25 times
fewer for m = 2, 4 times for m = 4. Against that stand the transforms, which only move memory.
Lavin and Gray, arXiv 1509.09308, has the matrices.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NoReturn

import numpy as np

from benchmarks.timing.interleaved import machine, medians
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run, warnings_only
from sr_program.errors import UsageError
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.settings import setting

# By the outputs' side m: Bᵀ (inputs), G (kernels), Aᵀ (outputs).
MATRICES: dict[int, tuple[Any, Any, Any]] = {
    2: (
        [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
        [[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]],
        [[1, 1, 1, 0], [0, 1, -1, -1]],
    ),
    4: (
        [
            [4, 0, -5, 0, 1, 0],
            [0, -4, -4, 1, 1, 0],
            [0, 4, -4, -1, 1, 0],
            [0, -2, -1, 2, 1, 0],
            [0, 2, -1, -2, 1, 0],
            [0, 4, 0, -5, 0, 1],
        ],
        [
            [1 / 4, 0, 0],
            [-1 / 6, -1 / 6, -1 / 6],
            [-1 / 6, 1 / 6, -1 / 6],
            [1 / 24, 1 / 12, 1 / 6],
            [1 / 24, -1 / 12, 1 / 6],
            [0, 0, 1],
        ],
        [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    ),
}


@dataclasses.dataclass(frozen=True)
class WinogradConfig:
    """What is timed."""

    sides: str = setting("128,256", "Sides of the feature maps, by commas; multiples of 4.")
    channels: int = setting(64, "Channels of input and output.")
    repetitions: int = setting(7, "Timed rounds.")

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        if not all(
            side.isdecimal() and int(side) % 4 == 0 != int(side) for side in self.sides.split(",")
        ):
            raise UsageError(f"--sides: {self.sides!r} is no list of multiples of 4")
        if self.channels < 1 or self.repetitions < 1:
            raise UsageError("--channels and --repetitions must be at least 1")


DEFAULTS = WinogradConfig()


def transformed_kernel(kernel: np.ndarray, m: int) -> np.ndarray:
    """G g Gᵀ for each pair of channels, once a network.

    Args:
        kernel: [3, 3, C, K].
        m: 2 or 4.

    Returns:
        [(m + 2)², C, K], the places of a tile column by column.
    """
    g = np.asarray(MATRICES[m][1])
    found = np.einsum("ar,bs,rsck->back", g, g, kernel)
    return found.reshape(-1, *kernel.shape[2:]).astype(kernel.dtype)


def winograd(x: Any, kernel: Any, m: int) -> Any:
    """The 3x3 convolution with zeros around the image.

    Args:
        x: float32 [1, H, W, C]; H and W are multiples of m.
        kernel: As of `transformed_kernel`.
        m: 2 or 4.

    Returns:
        [1, H, W, K].
    """
    import tensorflow as tf

    inputs, _, outputs = (tf.constant(matrix, tf.float32) for matrix in MATRICES[m])
    tile, height, width, channels = m + 2, x.shape[1], x.shape[2], x.shape[3]
    rows, columns = height // m, width // m
    padded = tf.pad(x[0], [[1, 1], [1, 1], [0, 0]])
    # Down, then across: line i of every tile, and from them the transformed lines.
    lines = tf.stack([padded[i : i + m * rows : m] for i in range(tile)])
    lines = tf.reshape(tf.matmul(inputs, tf.reshape(lines, (tile, -1))), (tile, rows, -1, channels))
    cells = tf.stack([lines[:, :, j : j + m * columns : m] for j in range(tile)])
    cells = tf.matmul(inputs, tf.reshape(cells, (tile, -1)))
    # A product for each place of a tile, column by column.
    products = tf.matmul(tf.reshape(cells, (tile * tile, rows * columns, channels)), kernel)
    across = tf.reshape(tf.matmul(outputs, tf.reshape(products, (tile, -1))), (m, tile, -1))
    both = tf.matmul(outputs, tf.reshape(tf.transpose(across, (1, 0, 2)), (tile, -1)))
    pixels = tf.reshape(both, (m, m, rows, columns, -1))  # [down, across] within the tile
    return tf.reshape(tf.transpose(pixels, (2, 0, 3, 1, 4)), (1, height, width, -1))


def report(config: WinogradConfig) -> str:
    """Times everything.

    Raises:
        UsageError: A flag has a wrong value.
    """
    config.check()
    import_tensorflow_quietly()
    import tensorflow as tf

    rng = np.random.default_rng(0)
    channels = config.channels
    kernel = rng.normal(0, 0.05, (3, 3, channels, channels)).astype(np.float32)
    lines = ["| side | form | ms | / direct | largest difference |", "|---" * 5 + "|"]
    for side in map(int, config.sides.split(",")):
        x = tf.constant(rng.normal(0, 1, (1, side, side, channels)).astype(np.float32))
        forms: dict[str, Any] = {
            "direct": tf.function(lambda x: tf.nn.conv2d(x, tf.constant(kernel), 1, "SAME"))
        }
        for m in MATRICES:
            of_kernel = tf.constant(transformed_kernel(kernel, m))
            forms[f"F({m}x{m}, 3x3)"] = tf.function(
                lambda x, k=of_kernel, m=m: winograd(x, k, m), autograph=False
            )
        calls = {name: (lambda f=f, x=x: f(x).numpy()) for name, f in forms.items()}
        seconds = medians(calls, config.repetitions)
        expected = calls["direct"]()
        for name, value in seconds.items():
            apart = float(np.abs(calls[name]() - expected).max())
            ratio = value / seconds["direct"]
            lines.append(f"| {side} | {name} | {1e3 * value:.1f} | {ratio:.2f} | {apart:.1e} |")
    heading = f"{machine()}; float32; medians of {config.repetitions} interleaved rounds"
    return "\n".join([heading, "", *lines])


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    warnings_only()
    print(report(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()

"""Measures the constants of `srgan.vgg.features.FEATURE_SCALE` and prints them as one table.

For each layer, after and before its ReLU: the scale that makes λ2 · L_vgg equal to the pixel loss
(MSE in [-1, 1]), with λ2 = 6e-3, when the loss compares bicubic-upscaled LR with HR. Both losses
are means over all 96x96 crops, aligned and not overlapping, of the images.

    python -m benchmarks.studies.feature_scale --data=VALDIR --vgg_weights=FILE
"""

from typing import Any

import numpy as np
from absl import flags
from tqdm import tqdm

from sr_data.sources import PairedFolder
from sr_images.bicubic import bicubic_upscale
from sr_images.image_io import to_signed
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import DataError

_DATA = flags.DEFINE_string(
    "data",
    None,
    "folder with HR/ and LR_x4/, or of HR images",
    required=True,
)
_WEIGHTS = flags.DEFINE_string(
    "vgg_weights",
    "imagenet",
    "imagenet (download), or a file: .weights.h5, .keras, .h5, .npz, .onnx or .whl",
)
_NETWORK = flags.DEFINE_enum("vgg_network", "vgg19", ["vgg16", "vgg19"], "which VGG network")
_LAYERS = flags.DEFINE_list(
    "layers", None, "layers to measure, e.g. block2_conv2,block3_conv4 (default: as far as block3)"
)

LAMBDA_VGG = 6e-3
CROP_SIZE = 96
BATCH_SIZE = 16


def aligned_crops(folder: PairedFolder) -> tuple[np.ndarray, np.ndarray]:
    """Cuts all HR images and the upscaled LR images into crops that do not overlap.

    Returns:
        HR and bicubic crops, each float32 [N, 96, 96, 3] in [-1, 1].

    Raises:
        DataError: no image is as large as a crop.
    """
    originals, upscaled = [], []
    for _, hr, lr in folder:
        sr = bicubic_upscale(lr, 4)
        for top in range(0, hr.shape[0] - CROP_SIZE + 1, CROP_SIZE):
            for left in range(0, hr.shape[1] - CROP_SIZE + 1, CROP_SIZE):
                window = slice(top, top + CROP_SIZE), slice(left, left + CROP_SIZE)
                originals.append(to_signed(hr[window]))
                upscaled.append(to_signed(sr[window]))
    if not originals:
        raise DataError(f"no image of --data is at least {CROP_SIZE} pixels high and wide")
    return np.stack(originals), np.stack(upscaled)


def feature_losses(features: Any, hr: np.ndarray, sr: np.ndarray) -> np.ndarray:
    """Mean squared feature differences after and before the ReLU.

    Args:
        features: φ before its ReLU, of several layers.
        hr: crops float32 [N, H, W, 3] in [-1, 1].
        sr: the same of the other kind.

    Returns:
        float64 [layers, 2]: after, before.
    """
    losses = 0.0
    for start in tqdm(range(0, len(hr), BATCH_SIZE), unit="batch", disable=None):
        batch = slice(start, start + BATCH_SIZE)
        of_batch = []
        for of_hr, of_sr in zip(features(hr[batch]), features(sr[batch]), strict=True):
            of_hr, of_sr = np.asarray(of_hr), np.asarray(of_sr)
            pairs = (np.maximum(of_hr, 0), np.maximum(of_sr, 0)), (of_hr, of_sr)
            of_batch.append([np.mean(np.square(a - b), dtype=np.float64) for a, b in pairs])
        losses += len(hr[batch]) / len(hr) * np.array(of_batch)
    return np.asarray(losses)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    # Imported here, so that --help does not wait for Keras.
    from srgan.vgg.features import build_vgg_features
    from srgan.vgg.layers import convolution_layers, layers_up_to

    network = _NETWORK.value
    names = _LAYERS.value or [each.name for each in convolution_layers(network) if each.block <= 3]
    for name in names:
        layers_up_to(network, name)
    hr, sr = aligned_crops(PairedFolder(_DATA.value))
    pixel = float(np.mean(np.square(hr - sr), dtype=np.float64))
    features = build_vgg_features(network, names, before_relu=True, weights=_WEIGHTS.value)
    losses = feature_losses(features, hr, sr)
    print(f"{network}, {len(hr)} crops, L_pixel {pixel:.5f}, λ2 {LAMBDA_VGG}")
    print(f"{'layer':<14}{'MSE after ReLU':>16}{'scale':>10}{'MSE before ReLU':>18}{'scale':>10}")
    for name, (after, before) in zip(names, losses, strict=True):
        scales = [pixel / (LAMBDA_VGG * loss) for loss in (after, before)]
        print(f"{name:<14}{after:>16.5g}{scales[0]:>10.1e}{before:>18.5g}{scales[1]:>10.1e}")


if __name__ == "__main__":
    run(_main)

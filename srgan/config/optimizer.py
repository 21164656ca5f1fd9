"""How the weights are updated, and from which they start."""

from __future__ import annotations

import dataclasses

from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """Two optimizers, one for each network, on one schedule; the paper's are Adams."""

    optimizer: str = setting(
        "adam",
        "The generator's optimizer. muon makes the updates of the trunk's and the upsamplers' "
        "kernels orthogonal (not in the paper), which saves about a third of the first updates; "
        "Adam updates all other weights.",
        ("adam", "muon"),
    )
    learning_rate: float = setting(1e-4, "The learning rate at the start.")
    discriminator_learning_rate: float = setting(
        0.0, "The discriminator's learning rate; 0: the generator's."
    )
    schedule: str = setting(
        "constant",
        "How the learning rate falls: not at all, to a tenth at --decay_at, or along a half "
        "cosine to 0 at --steps.",
        ("constant", "step", "cosine"),
    )
    decay_at: float = setting(0.5, 'Share of --steps after which "step" divides the rate by 10.')
    warmup_steps: int = setting(0, "Updates over which the rate grows to its full value.")
    discriminator_warmup: int = setting(
        0, "Updates at the start in which only the discriminator learns; for stage 2."
    )
    clip_norm: float = setting(
        0.0, "Largest norm of each network's gradient; longer ones are scaled down; 0: no limit."
    )
    output_rate: float = setting(
        1.0,
        "Factor on the learning rate of the generator's last kernel. Each value of the result is "
        "a sum over all of its inputs, 5184 in WP-SRGAN; a factor below 1 keeps the first "
        "updates from overshooting.",
    )
    beta_1: float = setting(0.9, "β1 of the generator's Adam.")
    beta_2: float = setting(0.999, "β2 of the generator's Adam.")
    discriminator_beta_1: float = setting(0.9, "β1 of the discriminator's Adam.")
    discriminator_beta_2: float = setting(0.999, "β2 of the discriminator's Adam.")
    ema_decay: float = setting(
        0.0,
        "Decay of an exponential moving average of the generator's weights, which is then what "
        "is validated and exported; 0: none (the paper).",
    )


@dataclasses.dataclass(frozen=True)
class InitializationConfig:
    """The generator's random weights; the paper has Xavier's everywhere (Section 4.1)."""

    residual_scale: float = setting(
        1.0,
        "Factor on the first weights of the layer that ends each residual branch. 0.1 keeps the "
        "untrained trunk near the identity (not in the paper): at 1 its values grow from block to "
        "block.",
    )
    upsampler_init: str = setting(
        "xavier",
        "First weights of the upsamplers: Xavier's, as in the paper; He's; or ICNR, which are "
        "He's for one phase of the pixel shuffle, repeated for the others, and start without a "
        "grid.",
        ("xavier", "he", "icnr"),
    )

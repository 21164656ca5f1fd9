"""Which images a run sees."""

from __future__ import annotations

import dataclasses

from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Which patches are seen, and in which order."""

    data: str = setting(
        "",
        "HR training images: folder:DIR, tfds:NAME[/CONFIG][:SPLIT], or prepared:DIR of "
        "sr_data.prepare. Required.",
    )
    val_dir: str = setting(
        "", "Validation images: HR/ and LR_x4/ below it, or HR images alone; empty: no validation."
    )
    crop_size: int = setting(96, "Side of the HR crops, pixels; the LR crops are 1/4 of it.")
    batch_size: int = setting(16, "Crops in each update.")
    crop_energy: float = setting(
        1.0,
        "Share of the candidates that are kept as crops: those with the most gradient energy. 1 "
        "takes every crop; 0.333 draws three times as many and leaves out the flat ones (not in "
        "the paper).",
    )
    flips: bool = setting(True, "Mirror half of the crops.")
    rotations: bool = setting(
        False, "Turn the crops by a random multiple of 90 degrees too (not in the paper)."
    )
    degradation: str = setting(
        "bicubic",
        "How LR crops are made: by the bicubic reduction alone (the paper), or as photos are, with "
        "blur, noise and JPEG drawn for each crop (not in the paper).",
        ("bicubic", "photo"),
    )
    clean_share: float = setting(
        0.15, 'Share of the crops that --degradation=photo leaves as "bicubic" makes them.'
    )
    teacher_dir: str = setting(
        "",
        "Folder of another method's enlarged images, each with its photo's name, to be mixed into "
        "what the generator learns (not in the paper). They are made from clean LR, even with "
        "--degradation=photo.",
    )
    teacher_weight: float = setting(
        0.5, "Share of --teacher_dir's images in the mixture; the rest is HR's."
    )
    seed: int = setting(0, "Seed of the initial weights and of the choice of crops.")

"""What the page says of a photo and a result, as HTML; everything from a file is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bigans.demo.choice import Choice
from bigans.demo.kept_photo import KeptPhoto
from bigans.demo.scores import Score


def guarantee(choice: Choice) -> str:
    """What may be relied on."""
    if choice.levels is not None:
        levels = f"{choice.levels} grey level{'s' * (choice.levels != 1)}"
        if choice.levels == 0:
            return "The result is exactly the faithful image."
        return (
            f"Guaranteed: no value of the result departs from the faithful image by more than "
            f"{levels} of 255. What the vivid image invents beyond that is left out."
        )
    if choice.consistent:
        return (
            "Consistent: reduced to its size again, the result gives the photo back to 1 grey "
            "level. Choose it for clean photos; noise and blocks of JPEG are given back too."
        )
    if choice.xi <= 0:
        return "The result is exactly the faithful image."
    if choice.xi >= 1:
        return "The result is exactly the vivid image: nothing bounds what it invents."
    return (
        f"{choice.xi:.0%} of the values are those of the vivid image. The others move towards it "
        "by one number of grey levels, the same for all."
    )


def score_table(kept: KeptPhoto, choice: Choice, found: Sequence[Score], notes: list[str]) -> str:
    """The numbers beside a result.

    Args:
        kept: The photo.
        choice: How its result is merged.
        found: The scores.
        notes: What is missing, and what to do about it.
    """
    rows = "".join(
        f'<tr><th scope="row">{escape(score.name)}</th><td>{escape(score.value)}</td>'
        f"<td>{escape(score.meaning)}</td></tr>"
        for score in found
    )
    hints = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        f'<div class="bg-scores"><table><caption>{escape(kept.name)}, {escape(str(choice))}'
        f"</caption>{rows}</table>{hints}</div>"
    )


def photo_line(kept: KeptPhoto) -> str:
    """Name and sizes of a photo."""
    (height, width), (high, wide) = kept.picture.size, kept.size
    return f"{kept.name}: {width}×{height} → {wide}×{high}"

"""Photos to try the page with: those that Gradio brings for its own examples."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

_PHOTOS = (
    ("cheetah1.jpg", "Cheetah, 256×256", False),
    ("tower.jpg", "Tower, reduced by 4, and its original", True),
)


class Example(NamedTuple):
    """A photo.

    Attributes:
        path: Its file.
        title: As the page names it.
        reduce: Whether it is reduced by 4 first, and is then its own original.
    """

    path: Path
    title: str
    reduce: bool


def examples() -> list[Example]:
    """Those that are there."""
    from gradio.media import get_image  # pyright: ignore[reportMissingImports]

    found = []
    for name, title, reduce in _PHOTOS:
        try:
            found.append(Example(Path(get_image(name)), title, reduce))
        except ValueError:  # another version of Gradio
            continue
    return found

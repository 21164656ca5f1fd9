"""What a person has chosen on the page, for one result."""

from __future__ import annotations

import dataclasses

from bigans.upscaler.enlarging import Enlarging
from sr_program.contract import DEFAULT_XI
from sr_program.errors import UsageError

# Of the slider of grey levels.
MOST_LEVELS = 32
DEFAULT_LEVELS = 8


@dataclasses.dataclass(frozen=True)
class Choice:
    """How both generators' images are merged.

    Example:
        Choice(levels=8).enlarging()

    Attributes:
        xi: In [0, 1].
        levels: Whole grey levels ≥ 0, in place of `xi`: no value departs further from the faithful
            image; None leaves the choice to `xi`.
        consistent: Whether the result, reduced again, has to give the photo back; not with
            `levels`.

    Raises:
        UsageError: A number out of range, or two choices that exclude each other.
    """

    xi: float = DEFAULT_XI
    levels: int | None = None
    consistent: bool = False

    def __post_init__(self) -> None:
        """Refuses what cannot be merged by."""
        if not 0 <= self.xi <= 1:
            raise UsageError(f"xi must lie in [0, 1], got {self.xi:g}")
        if self.levels is not None and not 0 <= self.levels <= 255:
            raise UsageError(f"the grey levels must lie in [0, 255], got {self.levels:g}")
        if self.consistent and self.levels is not None:
            raise UsageError(
                "a consistent result may be further from the faithful image than some grey "
                "levels; choose one of the two"
            )

    def enlarging(self) -> Enlarging:
        """The same, as the upscaler takes it."""
        if self.levels is not None:
            return Enlarging(max_deviation=self.levels)
        return Enlarging(xi=self.xi, consistent=self.consistent)

    def settings(self) -> dict[str, str]:
        """What stands in the metadata of a result, named as the command line names it."""
        if self.levels is not None:
            return {"max_deviation": f"{self.levels:g}"}
        settings = {"xi": f"{self.xi:g}"}
        return {**settings, "consistent": "True"} if self.consistent else settings

    def __str__(self) -> str:
        """As a person reads it."""
        if self.levels is not None:
            return f"at most {self.levels} grey levels"
        return f"ξ = {self.xi:.2f}" + (", consistent" if self.consistent else "")

    @property
    def file_part(self) -> str:
        """Of a result's name: xi0.73, or max8."""
        if self.levels is not None:
            return f"max{self.levels}"
        return f"xi{self.xi:.2f}" + ("_consistent" if self.consistent else "")

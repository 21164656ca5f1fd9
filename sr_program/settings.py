"""One setting of a program: a dataclass field that carries what its flag needs.

`sr_program.dataclass_flags` makes the flags; modules that know of no flags have the fields alone.
"""

import dataclasses
from typing import Any


def setting(default: Any, help_text: str, choices: tuple[str, ...] = ()) -> Any:
    """A dataclass field with the help text, and the choices, of the flag made from it."""
    return dataclasses.field(default=default, metadata={"help": help_text, "choices": choices})

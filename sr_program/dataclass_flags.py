"""absl flags made from the fields of frozen dataclasses, and dataclasses made from the flags.

A setting is written down once: the dataclass field gives the flag's name, type, default, choices
and help. Only entry points call this, so flags stay where programs start.
"""

import dataclasses
import re
import sys
import typing
from typing import Any, TypeVar

from absl import flags

from sr_program.help_page import put_under

Config = TypeVar("Config")

_DEFINERS = {
    bool: flags.DEFINE_bool,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
}


def define(*defaults: Any) -> None:
    """Defines one flag for each field of each dataclass instance, whose values are the defaults.

    The first sentence of a dataclass's docstring heads its flags in the help.

    A field's metadata may hold "help" (text) and "choices" (strings). A field that is itself a
    dataclass gives the flags of its own fields. The flags belong to the module that calls this.

    Args:
        *defaults: Instances of dataclasses with fields of bool, int, float, str or a dataclass.
    """
    caller = sys._getframe(1).f_globals["__name__"]
    module = sys.argv[0] if caller == "__main__" else caller
    for config in defaults:
        _define(config, module)


def _define(config: Any, module: str) -> None:
    heading = _heading(type(config))
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        text = field.metadata.get("help", "")
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            _define(value, module)
        elif choices := field.metadata.get("choices"):
            flags.DEFINE_enum(field.name, value, choices, text, module_name=module)
        else:
            _DEFINERS[hints[field.name]](field.name, value, text, module_name=module)
        if not dataclasses.is_dataclass(value):
            put_under(heading, field.name)


def _heading(kind: type) -> str:
    """The first sentence of a docstring; what follows a semicolon is for readers of the code."""
    text = (kind.__doc__ or "").strip()
    # Without a docstring `dataclass` writes one that looks like a call.
    return "" if text.startswith(f"{kind.__name__}(") else re.split(r"[;.\n]", text)[0]


def given(*names: str) -> list[str]:
    """Those of the flags that stand on the command line or in a flagfile, whatever their values."""
    return [name for name in names if flags.FLAGS[name].present]


def read(defaults: Config, **replacements: Any) -> Config:
    """Makes a dataclass of the type of `defaults` from the values of the parsed flags.

    Args:
        defaults: The instance that the flags were defined from.
        **replacements: Values for fields where the flag shall not count.
    """
    values = {}
    for field in dataclasses.fields(defaults):  # pyright: ignore[reportArgumentType]
        default = getattr(defaults, field.name)
        if dataclasses.is_dataclass(default):
            values[field.name] = read(default, **replacements)
        else:
            flag = getattr(flags.FLAGS, field.name)
            values[field.name] = replacements.get(field.name, flag)
    return type(defaults)(**values)

"""What a program says of its flags: the help page, and what a wrong name was perhaps meant for."""

from __future__ import annotations

import difflib
import re

from absl import flags

# Flag → the heading that it stands under, in the order in which they were defined.
_HEADINGS: dict[str, str] = {}

# absl's page of a module: a line a flag begins so.
_FLAG = re.compile(r"^  (-\w,)?--(\[no\])?(?P<name>\w+)", re.MULTILINE)


def put_under(heading: str, name: str) -> None:
    """Says under which heading a flag stands."""
    _HEADINGS[name] = heading


def flags_of_module(module: str) -> str:
    """The help of a module's flags, under their headings; those without one come first."""
    page = flags.FLAGS.module_help(module)
    starts = [match.start() for match in _FLAG.finditer(page)]
    groups: dict[str, list[str]] = {"": []}
    for heading in dict.fromkeys(_HEADINGS.values()):
        groups[heading] = []
    stops = [*starts[1:], len(page)] if starts else []  # a program may have no flag of its own
    for start, stop in zip(starts, stops, strict=True):
        match = _FLAG.match(page, start)
        name = match["name"] if match else ""
        groups[_HEADINGS.get(name, "")].append(page[start:stop].rstrip())
    return "\n\n".join(
        "\n".join([*([f"{heading}:"] if heading else []), *texts])
        for heading, texts in groups.items()
        if texts
    )


def did_you_mean(name: str, known: list[str]) -> str:
    """The flags that a wrong name was perhaps meant for, as the end of a sentence; or nothing.

    Args:
        name: What was typed, without dashes.
        known: The names of the program's flags.
    """
    initials = [one for one in known if _initials(one) == name]
    parts = [one for one in known if len(name) > 2 and set(name.split("_")) <= set(one.split("_"))]
    found = initials or parts or difflib.get_close_matches(name, known, n=3, cutoff=0.7)
    shown = " or ".join(f"--{one}" for one in found[:3])
    return f"; did you mean {shown}?" if shown else ""


def _initials(name: str) -> str:
    words = name.split("_")
    return "".join(word[:1] for word in words) if len(words) > 1 else ""

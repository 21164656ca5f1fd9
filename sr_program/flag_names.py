"""What an argument of the library is called on a command line.

The library knows no flags: its messages say `memory_mb=500 is too little`, which is right in
Python. A program has a flag of the same name for each argument that a person can give, and says it
as such: `--memory_mb=500 is too little`.
"""

import re
from collections.abc import Container

# Neither a flag already, nor a part of a path or of another word.
_WORD = re.compile(r"(?<![\w\-./])([a-z][a-z0-9_]*)(?![\w/])(=?)")


def in_flags(message: str, flags: Container[str]) -> str:
    """Writes the arguments that a message names as flags.

    Args:
        message: Of a library.
        flags: The names of the program's flags.

    Returns:
        The message with two dashes before each name of a flag that is followed by "=", or has an
        underscore in it: other words may be meant as words.
    """

    def written(match: re.Match[str]) -> str:
        name, equals = match.groups()
        is_argument = name in flags and (equals or "_" in name)
        return f"--{match[0]}" if is_argument else match[0]

    return _WORD.sub(written, message)

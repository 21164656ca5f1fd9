"""The two kinds of mistake that a person can make, and the one line that tells of any error."""


class UsageError(ValueError):
    """The command is wrong: a flag's value or a combination of flags. Exit code 2.

    The message is one line that says what was wrong and what to do.
    """


class DataError(ValueError):
    """A file or folder cannot be used: missing, damaged, of the wrong kind. Exit code 1.

    The message is one line that names the file and says what to do.
    """


def reason(error: BaseException, *, most: int | None = None) -> str:
    """Why something failed, in one line: for the parentheses of a message.

    Args:
        error: what was raised. Of the operating system's errors it is the cause alone; the file
            stands in the message around it.
        most: characters after which it is cut off.

    Returns:
        Text without line breaks, never empty: the name of the error's class if it says nothing.
    """
    said = error.strerror if isinstance(error, OSError) and error.strerror else error
    text = " ".join(str(said).split()) or type(error).__name__
    return text if most is None or len(text) <= most else f"{text[:most]}…"


def first_line(error: BaseException) -> str:
    """The first line of what an error says, where the rest is for programmers."""
    return _lines(error)[0]


def last_line(error: BaseException) -> str:
    """The last line of what an error says, where the others are about where it was raised."""
    return _lines(error)[-1]


def _lines(error: BaseException) -> list[str]:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines or [type(error).__name__]


def in_one_line(text: str) -> str:
    """A text that names files, in one line: a file's name may hold line feeds."""
    return text.replace("\n", "\\n")

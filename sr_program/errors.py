"""The two kinds of mistake that a person can make: a wrong command and wrong data."""


class UsageError(ValueError):
    """The command is wrong: a flag's value or a combination of flags. Exit code 2.

    The message is one line that says what was wrong and what to do.
    """


class DataError(ValueError):
    """A file or folder cannot be used: missing, damaged, of the wrong kind. Exit code 1.

    The message is one line that names the file and says what to do.
    """

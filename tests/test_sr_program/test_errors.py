import pytest

from sr_program.errors import DataError, UsageError, first_line, last_line, reason


@pytest.mark.parametrize("kind", [DataError, UsageError])
def test_is_a_value_error_with_its_message(kind):
    assert issubclass(kind, ValueError)
    assert str(kind("photo.png: is damaged")) == "photo.png: is damaged"


def test_neither_is_taken_for_the_other():
    assert not issubclass(DataError, UsageError)
    assert not issubclass(UsageError, DataError)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("no image"), "no image"),
        (ValueError("\n two\n  lines\t\n"), "two lines"),
        (ValueError(), "ValueError"),
        (ValueError(" \n "), "ValueError"),
        (OSError(28, "No space left on device", "/a/b"), "No space left on device"),
        (OSError("a decoder's own"), "a decoder's own"),
        (OSError(None, "is\ndamaged", "/a/b"), "is damaged"),
    ],
)
def test_a_reason_is_one_line(error, expected):
    assert reason(error) == expected


def test_a_long_reason_is_cut():
    assert reason(ValueError("abcdef"), most=6) == "abcdef"
    assert reason(ValueError("abcdefg"), most=6) == "abcdef…"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("\n one \n two\n\n", "one", "two"), ("one", "one", "one"), ("", "KeyError", "KeyError")],
)
def test_lines(text, first, last):
    error = ValueError(text) if text else KeyError()
    assert (first_line(error), last_line(error)) == (first, last)

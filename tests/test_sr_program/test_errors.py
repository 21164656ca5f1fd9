import pytest

from sr_program.errors import DataError, UsageError


@pytest.mark.parametrize("kind", [DataError, UsageError])
def test_is_a_value_error_with_its_message(kind):
    assert issubclass(kind, ValueError)
    assert str(kind("photo.png: is damaged")) == "photo.png: is damaged"


def test_neither_is_taken_for_the_other():
    assert not issubclass(DataError, UsageError)
    assert not issubclass(UsageError, DataError)

"""Runs the tests that its arguments name: what each py_test of BUILD starts."""

import sys

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main([*sys.argv[1:], "-q", "-p", "no:cacheprovider"]))

"""The version of this project, which exported models carry; setup.py has the same."""

VERSION = "0.1.0"

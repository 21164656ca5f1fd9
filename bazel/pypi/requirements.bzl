"""No packages: for Bazel before 7 they are those of the Python that comes first in PATH."""

all_requirements = []

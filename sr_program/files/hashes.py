"""Hashes by which a file's content is known."""

import hashlib
import os
from pathlib import Path

MD5 = "md5:"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_blob_id(path: Path) -> str:
    """The name that git gives to a file's content: SHA-1 of a header and the content."""
    with path.open("rb") as file:
        header = b"blob %d\0" % os.fstat(file.fileno()).st_size
        digest = hashlib.file_digest(file, lambda: hashlib.sha1(header, usedforsecurity=False))
    return digest.hexdigest()


def hash_like(expected: str, path: Path) -> str:
    """A file's hash, of the kind of an expected one.

    Args:
        expected: "md5:" and an MD5, or a git blob id.
        path: the file.
    """
    if not expected.startswith(MD5):
        return git_blob_id(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return MD5 + digest.hexdigest()

import hashlib
from pathlib import Path

from sr_program.files.hashes import file_sha256, git_blob_id, hash_like


def test_hash_of_a_known_text(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert file_sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_git_blob_id(tmp_path):
    # what `git hash-object` says of an empty file, and of "hello\n"
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert git_blob_id(path) == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    path.write_bytes(b"hello\n")
    assert git_blob_id(path) == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_a_hash_of_the_kind_of_another(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"hello\n")
    assert hash_like("md5:", path) == f"md5:{hashlib.md5(b'hello' + bytes([10])).hexdigest()}"
    assert hash_like("0" * 40, path) == "ce013625030ba8dba906f756967f9e9ca394464a"

import errno
import os

import pytest

from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_directory, atomic_file, check_writable
from sr_program.files.leftovers import remove_leftovers


def test_file_appears_at_the_end(tmp_path):
    target = tmp_path / "model.weights.h5"
    with atomic_file(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".") and temporary.name.endswith("model.weights.h5")
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failing_block_leaves_the_old_file(tmp_path, error):
    target = tmp_path / "photo.png"
    target.write_text("old")
    with pytest.raises(error), atomic_file(str(target)) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "photo.png"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_two_writers_do_not_share_a_temporary_file(tmp_path):
    target = tmp_path / "photo.png"
    with atomic_file(target) as one, atomic_file(target) as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert target.read_text() == "one"  # the outer block ends last


@pytest.mark.parametrize("writer", [atomic_file, atomic_directory])
def test_missing_parent_is_named(tmp_path, writer):
    with pytest.raises(FileNotFoundError) as caught, writer(tmp_path / "nowhere" / "x"):
        pytest.fail("the block must not run")
    assert caught.value.filename == str(tmp_path / "nowhere")


def test_directory_appears_at_the_end(tmp_path):
    target = tmp_path / "model"
    with atomic_directory(target) as temporary:
        (temporary / "1").mkdir()
        (temporary / "1" / "graph").write_text("g")
        assert not target.exists()
    assert (target / "1" / "graph").read_text() == "g"
    assert list(tmp_path.iterdir()) == [target]


def test_directory_replaces_the_old_one_whole(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").write_text("old")
    with atomic_directory(target) as temporary:
        (temporary / "new").write_text("new")
        assert (target / "old").exists()
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failing_block_leaves_the_old_directory(tmp_path, error):
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(error), atomic_directory(target) as temporary:
        (temporary / "new").write_text("new")
        raise error
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_directory_does_not_replace_a_file(tmp_path):
    (tmp_path / "model").write_text("a file")
    with pytest.raises(NotADirectoryError), atomic_directory(tmp_path / "model"):
        pytest.fail("the block must not run")
    assert (tmp_path / "model").read_text() == "a file"


@pytest.mark.parametrize("writer", [atomic_file, atomic_directory])
def test_failing_rename_leaves_everything_as_it_was(tmp_path, writer, monkeypatch):
    """The last step fails: the old target is put back and nothing else remains."""
    target = tmp_path / "model"
    if writer is atomic_file:
        target.write_text("old")
    else:
        target.mkdir()
        (target / "old").write_text("old")

    for name in ("rename", "replace"):
        original = getattr(os, name)

        def fail_for_the_target(source, to, original=original):
            if str(to) == str(target) and not list(tmp_path.glob("restored")):
                (tmp_path / "restored").touch()
                raise OSError("disk trouble")
            original(source, to)

        monkeypatch.setattr(os, name, fail_for_the_target)
    with pytest.raises(OSError, match="disk trouble"), writer(target) as temporary:
        if writer is atomic_file:
            temporary.write_text("new")
    (tmp_path / "restored").unlink()
    assert list(tmp_path.iterdir()) == [target]
    assert (target if writer is atomic_file else target / "old").read_text() == "old"


def full_disk(path=None):
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


@pytest.mark.parametrize("writer", [atomic_file, atomic_directory])
@pytest.mark.parametrize("inside", ["nothing", "the temporary", "in the temporary"])
def test_an_error_names_what_was_asked_for(tmp_path, writer, inside):
    target = tmp_path / "model"
    with pytest.raises(OSError) as caught, writer(target) as temporary:
        names = {"nothing": None, "the temporary": temporary, "in the temporary": temporary / "x"}
        path = names[inside]
        raise full_disk(None if path is None else str(path))
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(target))
    assert str(caught.value) == f"[Errno 28] No space left on device: '{target}'"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", [atomic_file, atomic_directory])
def test_an_error_of_another_file_keeps_its_name(tmp_path, writer):
    with pytest.raises(FileNotFoundError) as caught, writer(tmp_path / "model"):
        (tmp_path / "photo.png").read_bytes()
    assert caught.value.filename == str(tmp_path / "photo.png")


def test_an_error_without_a_number_is_told_with_the_name(tmp_path):
    message = f"^{tmp_path / 'a.tif'}: encoder error -2$"
    with pytest.raises(OSError, match=message), atomic_file(tmp_path / "a.tif"):
        raise OSError("encoder error -2")


def test_another_kind_of_error_that_tells_of_the_disk(tmp_path):
    with pytest.raises(OSError) as caught, atomic_directory(tmp_path / "model"):
        raise RuntimeError("part-0.tempstate; No space left on device [Op:SaveV2]")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "model"))
    for error in (RuntimeError("a bug"), DataError("scratch: No space left on device")):
        with pytest.raises(type(error), match=str(error)), atomic_directory(tmp_path / "model"):
            raise error
    assert list(tmp_path.iterdir()) == []


def test_nested_directories_name_the_outer(tmp_path):
    with (
        pytest.raises(OSError) as caught,
        atomic_directory(tmp_path / "set") as outer,
        atomic_directory(outer / "1"),
    ):
        raise full_disk()
    assert caught.value.filename == str(tmp_path / "set")


def test_check_writable(tmp_path):
    (tmp_path / "old.png").write_text("old")
    check_writable(tmp_path / "new.png")
    check_writable(tmp_path / "old.png")
    assert [path.name for path in tmp_path.iterdir()] == ["old.png"]
    assert (tmp_path / "old.png").read_text() == "old"
    with pytest.raises(FileNotFoundError) as caught:
        check_writable(tmp_path / "nowhere" / "new.png")
    assert caught.value.filename == str(tmp_path / "nowhere")
    with pytest.raises(IsADirectoryError) as caught:
        check_writable(tmp_path)
    assert caught.value.filename == str(tmp_path)


def test_check_writable_tries(tmp_path, monkeypatch):
    def read_only(path, *_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(type(tmp_path), "touch", read_only)
    with pytest.raises(OSError) as caught:
        check_writable(tmp_path / "new.png")
    assert (caught.value.errno, caught.value.filename) == (errno.EROFS, str(tmp_path / "new.png"))


def test_a_locked_file_appears_at_the_end(tmp_path):
    target = tmp_path / "photo.png"
    with atomic_file(target, locked=True) as temporary:
        remove_leftovers(tmp_path)
        assert temporary.exists()
        temporary.write_text("new")
        remove_leftovers(tmp_path)
    remove_leftovers(tmp_path)
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]
    plain = tmp_path / "plain"
    plain.touch()
    assert target.stat().st_mode == plain.stat().st_mode
    plain.unlink()
    with pytest.raises(KeyboardInterrupt), atomic_file(target, locked=True):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_and_its_file_is_replaced(tmp_path, exists):
    (tmp_path / "inside").mkdir()
    file, link = tmp_path / "inside" / "file.txt", tmp_path / "link.txt"
    if exists:
        file.write_text("old")
    link.symlink_to(file)
    check_writable(link)
    with atomic_file(link) as temporary:
        assert temporary.parent == file.parent
        temporary.write_text("new")
    assert link.is_symlink() and file.read_text() == "new"
    names = {path.name for path in tmp_path.rglob("*")}
    assert names == {"inside", "link.txt", "file.txt"}


def test_a_pipe_stays(tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(OSError, match="is a device or a pipe") as caught:
            check_writable(path)
        assert caught.value.filename == str(path)
        with pytest.raises(OSError, match="is a device or a pipe"), atomic_file(path) as temporary:
            temporary.write_text("never")
    assert pipe.is_fifo() and sorted(tmp_path.iterdir()) == [link, pipe]


@pytest.mark.parametrize("writer", [atomic_file, atomic_directory])
@pytest.mark.parametrize("kind", [DataError, UsageError])
def test_what_was_found_wrong_in_a_new_file_is_told_with_its_name_to_be(tmp_path, writer, kind):
    complaint = f"^{tmp_path / 'model'}: differs"
    with pytest.raises(kind, match=complaint), writer(tmp_path / "model") as temporary:
        raise kind(f"{temporary}: differs")
    assert list(tmp_path.iterdir()) == []

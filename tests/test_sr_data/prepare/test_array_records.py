import random
import resource
import subprocess
import sys
import threading

import pytest

from sr_data.prepare.array_records import RecordReader, new_file
from sr_program.errors import DataError

pytest.importorskip("array_record")

RECORDS = [bytes([number]) * (1000 + number) for number in range(20)]


def write(path, records=RECORDS, compression="none"):
    with new_file(path, compression) as writer:
        for record in records:
            writer.write(record)


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_records_come_back_in_any_order(tmp_path, compression):
    write(tmp_path / "a", compression=compression)
    reader = RecordReader()
    for number in random.Random(0).sample(range(20), 20):
        assert reader.read(tmp_path / "a", number, 20) == RECORDS[number]


def test_zstd_is_smaller(tmp_path):
    large = [bytes(100_000)] * 20
    for compression in ("none", "zstd"):
        write(tmp_path / compression, large, compression)
    sizes = [(tmp_path / name).stat().st_size for name in ("none", "zstd")]
    assert sizes[0] > 2_000_000 > 10 * sizes[1]


def test_files_are_closed_and_opened_again(tmp_path):
    paths = [tmp_path / str(number) for number in range(5)]
    for number, path in enumerate(paths):
        write(path, RECORDS[number : number + 3])
    reader = RecordReader(most_open=2)
    for number, path in [*enumerate(paths)] * 3:
        assert reader.read(path, 1, 3) == RECORDS[number + 1]
        assert len(reader._open) <= 2


def test_threads_share_a_reader(tmp_path):
    paths = [tmp_path / str(number) for number in range(4)]
    for path in paths:
        write(path)
    reader, wrong = RecordReader(most_open=2), []

    def read(seed):
        choose = random.Random(seed)
        for _ in range(200):
            number = choose.randrange(20)
            if reader.read(choose.choice(paths), number, 20) != RECORDS[number]:
                wrong.append(number)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_changed_byte_is_noticed(tmp_path):
    write(tmp_path / "a")
    content = bytearray((tmp_path / "a").read_bytes())
    content[content.index(RECORDS[3]) + 500] ^= 1
    (tmp_path / "a").write_bytes(content)
    reader = RecordReader()
    assert reader.read(tmp_path / "a", 2, 20) == RECORDS[2]
    with pytest.raises(OSError, match="is damaged") as error:
        reader.read(tmp_path / "a", 3, 20)
    assert error.value.filename == str(tmp_path / "a")


@pytest.mark.parametrize("change", ["cut off", "empty", "missing", "of another kind"])
def test_no_such_file(tmp_path, change):
    write(tmp_path / "a")
    content = (tmp_path / "a").read_bytes()
    if change == "missing":
        (tmp_path / "a").unlink()
    else:
        wrong = {"cut off": content[:-1000], "empty": b"", "of another kind": b"x" * 200_000}
        (tmp_path / "a").write_bytes(wrong[change])
    with pytest.raises(OSError, match="is damaged"):
        RecordReader().read(tmp_path / "a", 0, 20)


def test_another_number_of_records_is_refused(tmp_path):
    write(tmp_path / "a")
    with pytest.raises(OSError, match=r"it has 20 records, not 19"):
        RecordReader().read(tmp_path / "a", 0, 19)


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(DataError), new_file(tmp_path / "a", "none") as writer:
        writer.write(b"x")
        raise DataError("the next photo")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path):
    """The limit on the size of files stands for the disk's; the package tells when it closes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match="cannot be written.*File too large") as error:
            write(tmp_path / "a", [b"x" * 50_000] * 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert error.value.filename == str(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "array_record.python", None)
    with pytest.raises(DataError, match=r"pip install 'bi-gans-st\[data\]'"):
        write(tmp_path / "a")
    with pytest.raises(DataError, match=r"pip install 'bi-gans-st\[data\]'"):
        RecordReader().read(tmp_path / "a", 0, 1)


def test_no_tensorflow(subprocess_environment, tmp_path):
    code = (
        "import sys, pathlib; from sr_data.prepare.array_records import *\n"
        f"path = pathlib.Path({str(tmp_path / 'a')!r})\n"
        "with new_file(path, 'none') as writer: writer.write(b'x')\n"
        "assert RecordReader().read(path, 0, 1) == b'x'\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=subprocess_environment)

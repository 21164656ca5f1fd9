import pytest

from benchmarks.timing import start_up
from benchmarks.timing.start_up import HELP, IMPORT, Process, processes, table
from sr_program.errors import DataError


def test_the_table_by_hand():
    seconds = {IMPORT: 4.0, HELP: 0.31, "upscaler": 6.0, "upscaler --xi=0": 8.0}
    lines = table(seconds, dict.fromkeys(seconds, 512.4))
    assert lines[2:] == [
        f"| {IMPORT} | 4.00 | 1.00 | 512 |  |  |",
        f"| {HELP} | 0.31 | 0.08 | 512 | ≤ 0.3 s | missed |",
        "| upscaler | 6.00 | 1.50 | 512 | < 2x the import | met |",
        "| upscaler --xi=0 | 8.00 | 2.00 | 512 | < 2x the import | missed |",
    ]


def test_a_process_is_measured_and_a_failure_told():
    process = Process(("-c", "block = bytearray(150_000_000)"))
    process.run()
    # No less than this process had when it started the other: Linux counts so.
    assert process.peaks[0] > 150
    with pytest.raises(DataError, match="no such thing"):
        Process(("-c", "import sys; sys.exit('no such thing')")).run()


def test_the_commands(tmp_path):
    config = start_up.StartUpConfig(upscaler_flags="--xi=0,--runtime=openvino --xi=1")
    found = processes(config, tmp_path)
    assert list(found) == [IMPORT, HELP, "upscaler --xi=0", "upscaler --runtime=openvino --xi=1"]
    photo, large = tmp_path / "photo.png", tmp_path / "large.png"
    assert found["upscaler --xi=0"].arguments == (
        *("-m", "bigans", str(photo), f"--output={large}", "--xi=0"),
    )
    assert photo.is_file()


def test_wrong_flags(call_program, capsys):
    assert call_program(start_up.cli_main, "--repetitions=0") == 2
    assert "--repetitions must be at least 1" in capsys.readouterr().err

import pytest

from benchmarks.timing import data


@pytest.mark.parametrize("degradation", ["bicubic", "photo"])
def test_the_table(call_program, photo_dir, capsys, degradation) -> None:
    small = ("--steps=10", "--alone=2", "--batch_size=1", "--crop_size=16", "--precision=float32")
    flags = (f"--data=folder:{photo_dir}", f"--degradation={degradation}", *small)
    assert call_program(data.cli_main, *flags) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(f"1 crops of 16, {degradation}.")
    rows = dict(
        [cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")
    )
    assert rows["memory, before the data"].endswith(" MiB")
    assert 0 <= float(rows["of which waiting for the batch"].rstrip("%")) <= 100
    assert {"memory, update 1", "memory, update 10", "memory, 2 more batches"} < set(rows)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--data is required"),
        (["--data=folder:x", "--steps=3"], "--steps must be at least 10"),
    ],
)
def test_wrong_flags(call_program, capsys, flags, message) -> None:
    assert call_program(data.cli_main, *flags) == 2
    assert message in capsys.readouterr().err

import pytest

from benchmarks import data


def test_the_table(call_program, photo_dir, capsys) -> None:
    small = ("--steps=10", "--alone=2", "--batch_size=1", "--crop_size=16", "--precision=float32")
    assert call_program(data.cli_main, f"--data=folder:{photo_dir}", *small) == 0
    rows = dict(
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("|")
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

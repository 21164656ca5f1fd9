from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from benchmarks.studies.training_hours import Validation, cli_main, read_curves

HEAD = "training,minutes,updates,psnr\n"


def test_rows_of_a_training_make_a_curve(tmp_path: Path) -> None:
    table = tmp_path / "hours.csv"
    table.write_text(f"{HEAD}a,0,0,24.2\nb,30,1,25\na,90,100,25.5\n", encoding="utf-8")
    assert read_curves(table) == {
        "a": [Validation(0, 24.2), Validation(1.5, 25.5)],
        "b": [Validation(0.5, 25)],
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("minutes,psnr\n1,2\n", "first line must be"), (f"{HEAD}a,soon,0,24\n", "line 2")],
)
def test_a_table_that_cannot_be_read(
    call_program: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    text: str,
    complaint: str,
) -> None:
    table = tmp_path / "hours.csv"
    table.write_text(text, encoding="utf-8")
    flags = f"--table={table}", f"--output={tmp_path / 'hours.png'}"
    assert call_program(cli_main, *flags) == 1
    told = capsys.readouterr().err
    assert complaint in told and told.count("\n") == 1
    assert not (tmp_path / "hours.png").exists()


def test_the_picture_shows_every_curve(
    call_program: Callable[..., int], repository: Path, tmp_path: Path
) -> None:
    """The one in the documents: each training has a colour of its own."""
    table, picture = repository / "docs/results/hours/hours.csv", tmp_path / "hours.png"
    assert call_program(cli_main, f"--table={table}", f"--output={picture}") == 0
    pixels = np.asarray(Image.open(picture).convert("RGB")).reshape(-1, 3)
    found = {tuple(one) for one in np.unique(pixels, axis=0).tolist()}
    colours = [tuple(round(255 * c) for c in to_rgb(f"C{i}")) for i in range(7)]
    drawn = [colour in found for colour in colours]
    assert drawn == [i < len(read_curves(table)) for i in range(7)]


def test_another_kind_of_picture(call_program: Callable[..., int], tmp_path: Path) -> None:
    assert call_program(cli_main, "--table=a.csv", f"--output={tmp_path / 'hours.jpg'}") == 2

"""The program as a person runs it: in a process of its own, in another folder."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bigans import Upscaler
from bigans.models.memory import TENSORFLOW
from sr_images.image_io import read_rgb, write_rgb

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(
    tmp_path: Path, subprocess_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs `python -m bigans` in a folder with cat.png, dog.jpg and the damaged bad.png."""
    rng = np.random.default_rng(0)
    for name in ("cat.png", "dog.jpg"):
        write_rgb(tmp_path / name, rng.integers(0, 100, (6, 5, 3), dtype=np.uint8))
    content = (tmp_path / "cat.png").read_bytes()
    (tmp_path / "bad.png").write_bytes(content[: len(content) // 2])
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, program: tuple[str, ...] = ("-m", "bigans")):
        return subprocess.run(
            [sys.executable, *program, *arguments],
            env=subprocess_environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def enlarged(path: str) -> np.ndarray:
    return np.kron(read_rgb(path), np.ones((4, 4, 1), np.uint8))


def files() -> set[str]:
    return {path.as_posix() for path in Path().rglob("*")} - {"cat.png", "dog.jpg", "bad.png"}


def test_one_photo(run: Run, fused: Path) -> None:
    result = run("cat.png", "--output=big.png", "--xi=0.4", f"--model={fused}")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    np.testing.assert_array_equal(read_rgb("big.png"), enlarged("cat.png") + 40)
    assert files() == {"big.png"}


def test_a_photo_in_tiles(run: Run, toy_fused: Path) -> None:
    photo = np.random.default_rng(1).integers(0, 256, (190, 230, 3), dtype=np.uint8)
    write_rgb("cat.png", photo)
    flags = ["--xi=0.4", f"--model={toy_fused}", "--overlap=2"]
    small = (
        f"--memory_mb={(TENSORFLOW.program_bytes + 50 * 50 * TENSORFLOW.bytes_per_lr_pixel) / 1e6}"
    )
    result = run("cat.png", "--output=tiles.png", *flags, small)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    np.testing.assert_array_equal(read_rgb("tiles.png"), Upscaler(toy_fused)(photo, xi=0.4))
    result = run("cat.png", "--output=a.png", *flags, small, "--scratch_dir=missing")
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert lines[0].startswith("bigans: cat.png: missing: no scratch file can be made")
    result = run("cat.png", "--output=a.png", *flags, "--memory_mb=500")
    assert result.returncode == 2
    assert "--memory_mb=500 is too little" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert files() == {"tiles.png"}


def test_bad_files_among_good_ones(run: Run, fused: Path) -> None:
    Path("more").mkdir()
    os.rename("dog.jpg", "more/dog.jpg")
    os.rename("bad.png", "more/bad.png")
    result = run(
        "missing.png", "more", "cat.png", "--max_deviation=8", "--output=new/out",
        f"--model={fused}",
    )  # fmt: skip
    assert result.returncode == 1
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 3, result.stderr
    assert lines[0] == "bigans: missing.png: No such file or directory"
    assert lines[1].startswith("bigans: more/bad.png: is damaged")
    assert lines[2] == "bigans: 2 of 4 photos failed"
    for photo, result in (("cat.png", "cat_x4.png"), ("more/dog.jpg", "dog_x4.png")):
        np.testing.assert_array_equal(read_rgb(f"new/out/{result}"), enlarged(photo) + 8)
    assert {path.name for path in Path("new/out").iterdir()} == {"cat_x4.png", "dog_x4.png"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_on_a_terminal(run: Run, generator: Path, subprocess_environment: dict[str, str]) -> None:
    import pty
    import termios

    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    command = [sys.executable, "-m", "bigans", "cat.png", "dog.jpg", "--output=out"]
    result = subprocess.run(
        [*command, f"--model={generator}"],
        env=subprocess_environment,
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        timeout=300,
    )
    os.close(terminal)
    shown = os.read(controller, 100_000).decode()
    os.close(controller)
    assert result.returncode == 0, shown
    assert "2/2" in shown
    assert shown.splitlines()[-1] == "2 photos -> out"


def test_a_generator_takes_no_xi(run: Run, generator: Path) -> None:
    result = run("cat.png", "--output=big.png", "--xi=0.5", f"--model={generator}")
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert f"{generator} has no input xi" in result.stderr
    assert files() == set()


def test_no_limit_of_memory(run: Run, fused: Path) -> None:
    result = run("cat.png", "--output=big.png", f"--model={fused}", "--memory_mb=inf")
    assert (result.returncode, result.stderr) == (0, "")
    np.testing.assert_array_equal(read_rgb("big.png"), enlarged("cat.png") + 73)


def test_a_precision_that_a_model_does_not_take(run: Run, generator: Path) -> None:
    result = run("cat.png", "--output=big.png", "--precision=auto", f"--model={generator}")
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "--precision=auto has no effect" in result.stderr
    assert files() == set()


def test_damaged_weights_stop_everything(run: Run, tmp_path: Path) -> None:
    # A tree of its own, whose weights are not those of its manifest.
    program = (
        "from pathlib import Path; from bigans.pretrained import manifest, saved_models as s;"
        "Path('w').mkdir(); entry = manifest.PretrainedGenerator('x.h5', '0', {}, 'r');"
        "Path('w/x.h5').touch();"
        "manifest.write_manifest({name: entry for name in manifest.RECIPES}, Path('w'));"
        "s.Shipped.__init__.__defaults__ = (None, Path('w'), 'float32', 'photo');"
        "from bigans.__main__ import cli_main; cli_main()"
    )
    result = run("cat.png", "dog.jpg", "--output=out", program=("-c", program))
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "w/x.h5: is not the file that was shipped" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name at least one photo"),
        (["cat.png", "--output="], "--output is empty: name a folder"),
        (["cat.png", "--output=o", "--xi=1.5"], "xi"),
        (["cat.png", "--output=o", "--xi=much"], "xi"),
        (["cat.png", "--output=o", "--xi=nan"], "--xi is not a number"),
        (["cat.png", "--output=o", "--max_deviation=-1"], "max_deviation"),
        (["cat.png", "--output=o", "--max_deviation=8", "--xi=1"], "exclude each other"),
        (["cat.png", "--output=o", "--model=pretrained:vivid", "--xi=1"], "--xi has no meaning"),
        (["cat.png", "--output=o", "--model=sharp"], "unknown --model=sharp; write the directory"),
        (["cat.png", "--output=o", "--model=vivid"], "write pretrained:vivid"),
        (["cat.png", "--output=o", "--model=pretrained:sharp"], "choose one of pretrained, "),
        (["cat.png", "--output=o", "--model=bicubic"], "--model=bicubic is not a model"),
        (["cat.png", "--output=o", "--model=HR"], "--model=HR is not a model"),
        (["cat.png", "--output=o", "--model=folder:."], "--model=folder:. is not a model"),
        (["cat.png", "--output=o", "--precision=half"], "precision"),
        (["cat.png", "--output=o", "--zoom=8"], "zoom"),
        (["cat.png", "--output=o", "--memory_mb=-1"], "--memory_mb must be more than 0, got -1"),
        (["cat.png", "--output=o", "--memory_mb=0"], "--memory_mb must be more than 0, got 0"),
        (["cat.png", "--output=o", "--memory_mb=-inf"], "--memory_mb must be more than 0"),
        (["cat.png", "--output=o", "--memory_mb=nan"], "--memory_mb=nan is not a number"),
        (["cat.png", "--output=o", "--memory_mb=1e308"], "--memory_mb=1e+308 is more than any"),
        (["cat.png", "--output=o", "--overlap=-1"], "overlap"),
        (["cat.png", "dog.jpg", "--output=o.png"], "one file, for 2 photos"),
        (["cat.png", "--output=cat.png"], "is one of the photos"),
        (["cat.png", "dog.jpg", "--output=bad.png/out"], "bad.png"),
    ],
)
def test_a_wrong_command_is_one_line_and_2(run: Run, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("bigans: ")
    assert message in result.stderr
    assert files() == set()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.png", "--output=o.png"], "missing.png: No such file"),
        (["cat.png", "--output=o.png", "--model=./missing"], "missing: no such directory"),
    ],
)
def test_wrong_data_is_1(run: Run, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert files() == set()


@pytest.mark.parametrize(
    "program", [("-m", "bigans"), ("-c", "from bigans.__main__ import cli_main; cli_main()")]
)
def test_help_needs_neither_numpy_nor_tensorflow(run: Run, program: tuple[str, ...]) -> None:
    result = run("--help", program=("-X", "importtime", *program))
    assert result.returncode == 0
    for flag in ("--output", "--xi", "--max_deviation", "--model", "--runtime", "--memory_mb"):
        assert flag in result.stdout
    imported = {line.split("|")[-1].strip() for line in result.stderr.splitlines()}
    assert "bigans" in imported
    assert not {"numpy", "tensorflow", "keras"} & imported

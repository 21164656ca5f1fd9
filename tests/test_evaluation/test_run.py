import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from evaluation.reports.report import DIGITS
from evaluation.run import cli_main
from sr_data.benchmarks import open_benchmark
from sr_images.image_io import read_rgb, write_rgb


@pytest.fixture
def call(call_program, offline, tmp_path):
    """Runs the program in this process; the results go to OUT of the test's folder."""

    def run(*arguments: object, output: str = "out") -> int:
        places = f"--output={tmp_path / output}", "--workers=0"
        return call_program(cli_main, *places, *arguments)

    return run


def summary(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def means(folder: Path, variant: str, name: str = "Set5") -> dict[str, float]:
    return summary(folder)["sets"][name]["variants"][variant]["means"]


def one_line(text: str) -> str:
    assert "Traceback" not in text
    [line] = text.splitlines()
    assert line.startswith("evaluation.run: ")
    return line


# --- the numbers that everybody knows ---


def test_bicubic_of_the_literature(call_program, offline, shared, tmp_path) -> None:
    """Y as uint8, 4 border pixels left out; Set14's bridge as its own gray."""
    data = shared / "data" / "benchmarks"
    for name in ("Set5", "Set14", "BSD100"):
        if not (data / name).is_dir():
            pytest.skip(f"needs {data / name}")
    arguments = (f"--data_dir={data}", "--benchmarks=Set5,Set14,BSD100", "--model=bicubic")
    assert call_program(cli_main, *arguments, f"--output={tmp_path}", "--nolpips") == 0
    for name, count, expected in (("Set5", 5, 28.42), ("Set14", 14, 25.99), ("BSD100", 100, 25.96)):
        found = summary(tmp_path)["sets"][name]
        assert found["images"] == found["variants"]["bicubic"]["scored"] == count
        assert means(tmp_path, "bicubic", name)["psnr_border4"] == pytest.approx(expected, abs=0.02)
    text = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "28.42, 25.99 and 25.96" in text  # beside the paper's row


# --- what can be evaluated ---


def test_bicubic(call, drawn_sets, tmp_path, capsys, niqe_file) -> None:
    code = call(
        f"--data_dir={drawn_sets}", "--benchmarks=Set5,Set14", "--model=bicubic",
        "--label=Cubic", f"--niqe_parameters={niqe_file}",
    )  # fmt: skip
    printed, errors = capsys.readouterr()
    assert code == 0
    assert "Traceback" not in errors
    output = tmp_path / "out"
    assert {path.name for path in output.iterdir()} == {
        "Set5.csv", "Set14.csv", "settings.json", "summary.json", "summary.md",
    }  # fmt: skip
    text = (output / "summary.md").read_text(encoding="utf-8")
    assert printed == text + "\n"
    assert "| Bicubic (paper) | 24.74 / 0.736 | 23.47 / 0.630 |" in text
    found = [means(output, "Cubic", name) for name in ("Set5", "Set14")]
    row = " | ".join(f"{one['psnr']:.2f} / {one['ssim']:.3f}" for one in found)
    assert f"| **Cubic** | {row} |" in text
    settings = summary(output)["settings"]
    assert settings["model"] == "bicubic" and settings["benchmarks"] == "Set5,Set14"
    # the images are too small for NIQE: told for each of them, and no failure
    assert text.count("has no NIQE: an image of") == 5
    assert "- Not computed: Ma: its model file is missing; --ma_model=PATH names it" in text


@pytest.mark.parametrize("directory", ["faithful_dir", "vivid_dir"])
def test_a_generator(call, drawn_sets, tmp_path, request, directory, expected_generators) -> None:
    place = request.getfixturevalue(directory)
    assert call(f"--data_dir={drawn_sets}", "--benchmarks=Set5", f"--model={place}",
                "--save_images", "--label=T") == 0  # fmt: skip
    for image in open_benchmark("Set5", drawn_sets):
        expected = expected_generators(image.lr)[directory == "vivid_dir"]
        made = read_rgb(tmp_path / "out" / "images" / "T" / "Set5" / f"{image.name}.png")
        np.testing.assert_array_equal(made, np.floor(expected + 0.5))


@pytest.mark.parametrize(
    ("flags", "label"),
    [
        ((), "Bi-GANs-ST, ξ = 0.73"),
        (("--xi=0.25",), "Bi-GANs-ST, ξ = 0.25"),
        (("--max_deviation=8",), "Bi-GANs-ST, at most 8 levels"),
        (("--max_deviation=0", "--label=bound"), "bound"),
    ],
)
def test_a_fused_model(call, drawn_sets, tmp_path, fused_dir, expected_generators, flags, label):
    assert call(f"--data_dir={drawn_sets}", "--benchmarks=Set5", f"--model={fused_dir}",
                "--save_images", *flags) == 0  # fmt: skip
    image = open_benchmark("Set5", drawn_sets)[0]
    faithful, vivid = expected_generators(image.lr)
    made = read_rgb(tmp_path / "out" / "images" / label / "Set5" / "baby.png").astype(float)
    change = np.abs(made - faithful)
    limit = np.abs(vivid - faithful)
    threshold = {
        "Bi-GANs-ST, ξ = 0.73": np.quantile(limit, 0.73),
        "Bi-GANs-ST, ξ = 0.25": np.quantile(limit, 0.25),
        "Bi-GANs-ST, at most 8 levels": 8,
        "bound": 0,
    }[label]
    np.testing.assert_allclose(change, np.minimum(limit, threshold), atol=0.51)


def test_the_ends_of_the_curve_are_the_generators(
    call, drawn_sets, tmp_path, fused_dir, faithful_dir, vivid_dir
) -> None:
    arguments = (f"--data_dir={drawn_sets}", "--benchmarks=Set5", "--label=x")
    for xi, generator in (("0", faithful_dir), ("1", vivid_dir)):
        assert call(*arguments, f"--model={fused_dir}", f"--xi={xi}", output=f"fused {xi}") == 0
        assert call(*arguments, f"--model={generator}", output=f"generator {xi}") == 0
        fused, alone = (means(tmp_path / f"{kind} {xi}", "x") for kind in ("fused", "generator"))
        assert fused == alone
    assert means(tmp_path / "generator 0", "x") != means(tmp_path / "generator 1", "x")


def test_self_ensemble(call, drawn_sets, tmp_path, vivid_dir) -> None:
    """The texture that does not turn with the image averages out."""
    arguments = (f"--data_dir={drawn_sets}", "--benchmarks=Set5", f"--model={vivid_dir}")
    assert call(*arguments, output="1") == 0
    assert call(*arguments, "--self_ensemble", output="8") == 0
    assert means(tmp_path / "8", "wp")["rmse"] < 0.8 * means(tmp_path / "1", "wp")["rmse"]


def test_results_of_another_program(call, drawn_sets, tmp_path, capsys) -> None:
    for name in ("Set5", "Set14"):
        (tmp_path / "ESRGAN" / name).mkdir(parents=True)
        for image in open_benchmark(name, drawn_sets):
            write_rgb(tmp_path / "ESRGAN" / name / f"{image.name}_SRx4.png", image.hr)
    assert call(f"--data_dir={drawn_sets}", "--benchmarks=Set5,Set14",
                f"--model=folder:{tmp_path / 'ESRGAN'}") == 0  # fmt: skip
    for name in ("Set5", "Set14"):
        found = means(tmp_path / "out", "ESRGAN", name)
        assert found["psnr"] == "inf" and found["rmse"] == 0
    assert "| **ESRGAN** | inf / 1.000 | inf / 1.000 |" in capsys.readouterr().out


def test_the_perceptual_index(call, data_dir, tmp_path, draw_set, niqe_file, ma_file, capsys):
    draw_set(data_dir / "Large", {"a": (112, 208), "b": (208, 112)}, hr_alone=True)
    assert call(f"--data_dir={data_dir}", "--benchmarks=Large", "--model=bicubic",
                f"--niqe_parameters={niqe_file}", f"--ma_model={ma_file}") == 0  # fmt: skip
    found = means(tmp_path / "out", "bicubic", "Large")
    index = ((10 - found["ma"]) + found["niqe"]) / 2
    assert found["perceptual_index"] == pytest.approx(index, abs=1e-12)
    printed = capsys.readouterr().out
    assert (
        f"| **bicubic** | {index:.{DIGITS['perceptual_index']}f} / {found['rmse']:.2f} |" in printed
    )
    assert "Not computed: Ma" not in printed


# --- bad input ---


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def test_bad_images_among_good_ones(call, data_dir, tmp_path, capsys, draw_set, niqe_file) -> None:
    damage(data_dir / "Set5" / "HR" / "baby.png")
    (data_dir / "Set5" / "LR_x4" / "bird.png").unlink()
    draw_set(data_dir / "Large", {"small": (104, 196), "wide": (112, 208)}, hr_alone=True)
    code = call(f"--data_dir={data_dir}", "--benchmarks=Set5,Large", "--model=bicubic",
                f"--niqe_parameters={niqe_file}")  # fmt: skip
    printed, errors = capsys.readouterr()
    assert code == 1
    lines = [line for line in errors.splitlines() if line.startswith("evaluation.run: ")]
    assert len(lines) == 2 and "Traceback" not in errors
    assert "Set5/baby was not scored: " in lines[0] and "HR/baby.png: is damaged" in lines[0]
    assert "Set5/bird was not scored: " in lines[1] and "has no partner" in lines[1]
    found = summary(tmp_path / "out")["sets"]
    assert found["Set5"]["variants"]["bicubic"]["scored"] == 1
    large = found["Large"]["variants"]["bicubic"]
    assert large["scored"] == 2 and large["means"]["niqe"] > 0
    assert list(large["problems"]["niqe"]) == ["small"]
    assert "Large/small has no NIQE: " in printed and "(1 images)" in printed


def test_results_of_another_size(call, drawn_sets, tmp_path, capsys) -> None:
    (tmp_path / "theirs").mkdir()
    for image in open_benchmark("Set5", drawn_sets):
        cut = 4 if image.name == "bird" else None
        write_rgb(tmp_path / "theirs" / f"{image.name}.png", image.hr[cut:])
    assert call(f"--data_dir={drawn_sets}", "--benchmarks=Set5",
                f"--model=folder:{tmp_path / 'theirs'}") == 1  # fmt: skip
    expected = "Set5/bird was not scored: the result is 48x60 pixels, HR is 48x64"
    assert one_line(capsys.readouterr().err).endswith(expected)
    assert summary(tmp_path / "out")["sets"]["Set5"]["variants"]["theirs"]["scored"] == 2


def test_a_model_of_another_scale(call, drawn_sets, doubling_dirs, capsys) -> None:
    for place in doubling_dirs.values():
        assert call(f"--data_dir={drawn_sets}", "--benchmarks=Set5", f"--model={place}",
                    output=place.name) == 1  # fmt: skip
        errors = capsys.readouterr().err
        for name, size, expected in (("baby", "32x24", "64x48"), ("bird", "24x32", "48x64")):
            reason = f"the result is {size} pixels, HR is {expected}"
            assert f"evaluation.run: Set5/{name} was not scored: {reason}\n" in errors
        assert "Traceback" not in errors


def test_an_empty_folder(call, data_dir, tmp_path, capsys) -> None:
    (tmp_path / "empty").mkdir()
    assert call(f"--data_dir={data_dir}", "--benchmarks=Set5",
                f"--model=folder:{tmp_path / 'empty'}") == 1  # fmt: skip
    assert "empty: holds no image" in one_line(capsys.readouterr().err)
    shutil.rmtree(data_dir / "Set5")
    (data_dir / "Set5").mkdir()
    assert call(f"--data_dir={data_dir}", "--benchmarks=Set5", "--model=bicubic") == 1
    assert "Set5: holds no image" in one_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("empty", "empty: no SavedModel"),
        ("damaged", "damaged: not a SavedModel that can be loaded"),
        ("other", "is not a fused model"),
        ("missing", "missing: no such directory"),
    ],
)
def test_what_is_no_model(
    call, offline, drawn_sets, tmp_path, not_models, capfd, kind, message
) -> None:
    place = not_models["empty"].with_name(kind) if kind == "missing" else not_models[kind]
    assert call(f"--data_dir={drawn_sets}", "--benchmarks=Set5", f"--model={place}") == 1
    assert message in one_line(capfd.readouterr().err)
    assert not list((tmp_path / "out").glob("*"))
    if kind in ("empty", "missing"):  # told before anything is downloaded
        assert offline == []


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model=bicubic", "--data_dir="], "--data_dir=DIR is missing"),
        (["--model=bicubic", "--output="], "--output=DIR is missing"),
        (["--model=bicubic", "--benchmarks="], "--benchmarks is empty"),
        (["--model=bicubic", "--benchmarks=Set5,Set5"], "names a set twice"),
        (["--model=bicubic", "--workers=-3"], "--workers"),
        (["--model=bicubic", "--self_ensemble"], "--self_ensemble turns the input of a model"),
        (["--model=bicubik"], "unknown --model=bicubik; write"),
        (["--model=folder:"], "lacks its path"),
        (["--model=pretrained:sharp"], "choose one of"),
        (["--model=pretrained", "--xi=1.5"], "--xi must lie in [0, 1]"),
        (["--model=pretrained", "--xi=nan"], "--xi must lie in [0, 1]"),
        (["--model=pretrained", "--xi=much"], "xi"),
        (["--model=pretrained", "--max_deviation=256"], "--max_deviation must lie in [0, 255]"),
        (["--model=pretrained", "--max_deviation=-2"], "--max_deviation must lie in [0, 255]"),
        (["--model=pretrained", "--xi=0.5", "--max_deviation=8"], "exclude each other"),
        (["--model=bicubic", "--zoom=3"], "zoom"),
        (["--model=bicubic", "photo.png"], "unexpected argument 'photo.png'"),
    ],
)
def test_a_wrong_command(call, offline, drawn_sets, capsys, flags, message) -> None:
    assert call(f"--data_dir={drawn_sets}", "--benchmarks=Set5", *flags) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert message in one_line(errors)
    assert offline == []  # before any download


@pytest.mark.parametrize("kind", ["bicubic", "folder", "generator", "fused"])
def test_a_flag_that_has_no_effect(
    call, drawn_sets, tmp_path, faithful_dir, fused_dir, caplog, kind
) -> None:
    """It is said, but is no error: a loop over methods may give them all the same flags."""
    folder = f"folder:{drawn_sets / 'Set5' / 'HR'}"
    names = {"bicubic": "bicubic", "folder": folder, "generator": faithful_dir, "fused": fused_dir}
    model = f"--model={names[kind]}"
    arguments = (f"--data_dir={drawn_sets}", "--benchmarks=Set5", model)

    def said(*flags: str) -> list[str]:
        caplog.clear()
        # the HR folder's woman is not cropped
        assert call(*arguments, *flags, output=kind + "".join(flags)) == (kind == "folder")
        lines = (record.getMessage() for record in caplog.records)
        return [line for line in lines if "left out" not in line]

    assert said() == []
    for flag in ("--xi=0.73", "--max_deviation=8"):
        expected = f"{flag.partition('=')[0]} has no effect: {model} is not a fused model"
        assert said(flag) == ([] if kind == "fused" else [expected])


def test_a_set_that_is_not_there(call, drawn_sets, capsys) -> None:
    assert call(f"--data_dir={drawn_sets}", "--benchmarks=Set5,Urban100", "--model=bicubic") == 1
    assert "Urban100: no such folder" in one_line(capsys.readouterr().err)


def test_a_file_that_is_not_what_its_flag_says(call, drawn_sets, tmp_path, capsys) -> None:
    (tmp_path / "other.mat").write_bytes(b"nothing")
    for flag in ("niqe_parameters", "ma_model"):
        assert call(f"--data_dir={drawn_sets}", "--benchmarks=Set5", "--model=bicubic",
                    f"--{flag}={tmp_path / 'other.mat'}") == 1  # fmt: skip
        lines = [line for line in capsys.readouterr().err.splitlines() if "left out" not in line]
        assert "other.mat" in one_line("\n".join(lines))


def test_other_settings_in_the_same_place(call, drawn_sets, tmp_path, fused_dir, capsys) -> None:
    arguments = (f"--data_dir={drawn_sets}", "--benchmarks=Set5", f"--model={fused_dir}")
    assert call(*arguments) == 0
    before = (tmp_path / "out" / "summary.json").read_bytes()
    capsys.readouterr()
    for change in ("--xi=0.5", "--max_deviation=3", "--self_ensemble"):
        assert call(*arguments, change) == 2
        assert "holds the results of another model" in one_line(capsys.readouterr().err)
    assert call(f"--data_dir={drawn_sets}", "--benchmarks=Set5", "--model=bicubic") == 2
    assert (tmp_path / "out" / "summary.json").read_bytes() == before
    # other sets are no other settings
    assert call(*arguments[::2], "--benchmarks=Set14") == 0


# --- as a person starts it ---


@pytest.fixture
def environment(subprocess_environment, tmp_path) -> dict[str, str]:
    """Without a network: the proxy refuses every connection."""
    proxies = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    cache = {"BIGANS_CACHE": str(tmp_path / "cache")}
    return {**subprocess_environment, **proxies, **cache, "no_proxy": ""}


def start(environment: dict[str, str], program: list[str], *arguments: object):
    return subprocess.Popen(
        [sys.executable, *program, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a process group of its own, as a terminal gives it
    )


def test_offline(environment, drawn_sets, tmp_path) -> None:
    """What needs a download is left out, with a word; processes score the rest."""
    with start(
        environment, ["-m", "evaluation.run"], f"--data_dir={drawn_sets}", "--benchmarks=Set5",
        "--model=bicubic", f"--output={tmp_path / 'out'}", "--workers=2",
    ) as process:  # fmt: skip
        printed, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    niqe, ma = errors.splitlines()
    assert niqe.startswith("evaluation.run: niqe is left out: ")
    assert ma.startswith("evaluation.run: ma is left out: ")
    assert errors.count("cannot be downloaded") == 2
    for heading in ("NIQE", "Ma", "PI"):
        assert f"- Not computed: {heading}: " in printed
    assert "python -m evaluation.run --data_dir=" in printed
    assert means(tmp_path / "out", "bicubic")["psnr"] > 10


# The program, but for an image that is never finished.
STOPS = """
import time
from evaluation.methods import method as methods
from evaluation.run import cli_main

make = methods.Bicubic.enlarge

def stop_at_the_eighth(self, benchmark, image, wanted):
    if image.name == "7":
        time.sleep(1000)
    return make(self, benchmark, image, wanted)

methods.Bicubic.enlarge = stop_at_the_eighth
cli_main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")
def test_ctrl_c_and_the_same_command_again(
    environment, call, data_dir, tmp_path, draw_set, niqe_file
) -> None:
    """Of the seven images that were made, those whose scores had arrived are kept."""
    draw_set(data_dir / "Many", {str(n): (112, 208) for n in range(10)}, hr_alone=True)
    arguments = (
        f"--data_dir={data_dir}", "--benchmarks=Many", "--model=bicubic",
        f"--niqe_parameters={niqe_file}", "--nolpips",
    )  # fmt: skip
    output, scores = tmp_path / "out", tmp_path / "out" / "Many.csv"

    def lines() -> list[str]:
        return scores.read_text().splitlines() if scores.exists() else []

    more = f"--output={output}", "--workers=2"
    with start(environment, ["-c", STOPS], *arguments, *more) as process:
        while len(lines()) < 4:  # a heading, and three images while four wait
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1].endswith(": interrupted")
    assert "Traceback" not in errors
    done = lines()
    assert len(done) == 4
    assert not (output / "summary.json").exists()
    assert call(*arguments) == call(*arguments, output="at once") == 0
    assert lines()[:4] == done and len(lines()) == 11
    assert scores.read_bytes() == (tmp_path / "at once" / "Many.csv").read_bytes()
    results = [summary(folder) for folder in (output, tmp_path / "at once")]
    assert results[0]["sets"] == results[1]["sets"]
    assert results[0]["absent"] == results[1]["absent"]


# --- other runtimes ---


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("format", ["openvino", "onnx"])
def test_an_export_for_another_runtime(
    call, drawn_sets, tmp_path, photo_dir, format, int8, capsys
) -> None:
    """The scores of what was written, computed by its own runtime."""
    from fusion.exporting import build
    from sr_program.machine.optional_packages import is_installed
    from tests.test_fusion.conftest import NetworkGenerator, save_generator

    if not is_installed(format) or not is_installed("onnx"):
        pytest.skip(f"needs the extras {format} and onnx: pip install 'bi-gans-st[{format},onnx]'")
    folders = []
    for seed, name in enumerate(("faithful", "vivid")):
        generator = NetworkGenerator(seed, features=16)
        generator.tail.assign(0.3 * generator.tail)
        folders.append(save_generator(generator, tmp_path / name))
    photos = {"int8_photos": photo_dir} if int8 else {}
    faithful, vivid = folders
    build(faithful, vivid, tmp_path / "saved_model")
    build(faithful, vivid, tmp_path / format, format=format, **photos)
    capsys.readouterr()
    data = f"--data_dir={drawn_sets}", "--benchmarks=Set5"
    assert call(*data, f"--model={tmp_path / 'saved_model'}", output="ours") == 0
    place = f"--model={tmp_path / format}"
    assert call(*data, place, f"--runtime={format}", output="theirs") == 0
    label = "Bi-GANs-ST, ξ = 0.73"
    ours, theirs = (means(tmp_path / name, label) for name in ("ours", "theirs"))
    assert theirs["psnr"] == pytest.approx(ours["psnr"], abs=0.5 if int8 else 0.005)
    assert (theirs["psnr"] != pytest.approx(ours["psnr"], abs=1e-6)) or not int8
    # The runtime's scores do not go on from those of TensorFlow, and it has to be named.
    capsys.readouterr()
    assert call(*data, place, output="theirs") == 2
    assert f"choose --runtime={format}" in one_line(capsys.readouterr().err)


def test_names_that_are_not_utf_8(call, draw_set, tmp_path, capsys, niqe_file) -> None:
    """As of photos that were copied from other systems."""
    name = os.fsdecode(b"gr\xfcn")
    draw_set(tmp_path / "data" / "Set5", {"rot\nblau": (48, 64), name: (48, 52)})
    flags = [f"--data_dir={tmp_path / 'data'}", "--benchmarks=Set5", "--model=bicubic"]
    flags += [f"--niqe_parameters={niqe_file}"]
    for _ in range(2):
        assert call(*flags, "--save_images", f"--label={name}") == 0
        assert "Traceback" not in capsys.readouterr().err
    output = tmp_path / "out"
    assert (output / "images" / name / "Set5" / f"{name}.png").is_file()
    assert name in summary(output)["sets"]["Set5"]["variants"]
    lines = (output / "summary.md").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(r"- Set5/rot\nblau has no NIQE: ") for line in lines)
    assert any(line.startswith(r"- Set5/gr\udcfcn has no NIQE: ") for line in lines)


@pytest.mark.parametrize("label", ["../aside", "/tmp/aside", "a/b", "..", "a\\b"])
def test_a_label_leads_out_of_no_folder(call, data_dir, tmp_path, capsys, label) -> None:
    flags = f"--data_dir={data_dir}", "--benchmarks=Set5", "--model=bicubic", f"--label={label}"
    assert call(*flags, "--save_images") == 2
    assert "cannot be the name of a folder" in one_line(capsys.readouterr().err)
    assert call(*flags) == 0  # in tables it is any text

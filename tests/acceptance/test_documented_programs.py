"""Every program that the documents show is run by a test, or it says here why not."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from sr_images.bicubic import bicubic_downscale, bicubic_upscale
from sr_images.image_io import read_rgb, write_rgb
from sr_images.luma import rgb_to_y
from tests.acceptance.test_documented_commands import LOGS, commands
from tests.acceptance.test_documents import OF_OTHERS, documents

NOT_RUN = {
    "benchmarks.batch.many": "a million entries take minutes",
    "benchmarks.batch.rate": "three engines in turns take minutes, on a quiet machine",
    "benchmarks.serving": "a load takes minutes, on a quiet machine; a stand-in server has tests",
    "benchmarks.studies.batch_kills": "ten runs of 300 photos take half an hour",
    "benchmarks.timing.page": "needs Chromium and a quiet machine; the page has tests of its own",
}
# The ways in which tests run a program: by its name, or by its main function.
BY_NAME = r"""["'](?:{0})["']|-m (?:{0})\b"""
BY_FUNCTION = (
    r"from {0}(?:\.__main__)? import (?:\([^)]*)?[^\n]*\b(?:cli_)?main\b"
    r"|import {0}(?:\.__main__)? as"
)
IN_PACKAGE = r"from {0} import (?:\([^)]*)?[^\n(]*\b{1}\b"


def runs(text: str, module: str) -> bool:
    """Whether a test's text runs a module."""
    package, _, name = module.rpartition(".")
    patterns = [BY_NAME.format(re.escape(module)), BY_FUNCTION.format(re.escape(module))]
    if package:
        patterns.append(IN_PACKAGE.format(re.escape(package), re.escape(name)))
    return any(re.search(pattern, text) for pattern in patterns)


def test_each_program_is_run_or_says_why_not(repository: Path) -> None:
    shown = {
        module
        for document in documents(repository)
        if document.name not in LOGS
        for module, _ in commands(document.read_text(encoding="utf-8"))
    } - set(OF_OTHERS)
    texts = [path.read_text("utf-8") for path in (repository / "tests").rglob("*.py")]
    texts += [(repository / name).read_text("utf-8") for name in ("Makefile", ".ci/run")]
    table = Path(__file__).read_text("utf-8").split("NOT_RUN = {")[1].split("}")[0]
    texts = [text.replace(table, "") for text in texts]
    unknown = {module for module in shown if not any(runs(text, module) for text in texts)}
    assert unknown == set(NOT_RUN) & shown
    assert set(NOT_RUN) <= shown


def test_what_counts_as_a_run() -> None:
    assert runs('call("a.b")', "a.b") and runs("python -m a.b --c", "a.b")
    assert runs("from a.b import X, cli_main", "a.b") and runs("import a.b as program", "a.b")
    assert runs("from a import c, b", "a.b") and not runs("from a.b import other", "a.b")


@pytest.fixture
def call(subprocess_environment: dict[str, str]) -> Callable[..., str]:
    """Runs a program to its end; gives what it prints."""

    def call(module: str, *flags: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *flags],
            env=subprocess_environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.fixture
def drawn(tmp_path: Path) -> tuple[Path, Path]:
    """A set of one image, and the first block of a VGG19 that knows nothing."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (96, 96, 3), np.uint8)
    (tmp_path / "data" / "one").mkdir(parents=True)
    write_rgb(tmp_path / "data" / "one" / "a.png", image)
    layers = {}
    for name, filters in (("block1_conv1", 3), ("block1_conv2", 64)):
        layers[f"{name}_kernel"] = rng.normal(0, 0.05, (3, 3, filters, 64)).astype(np.float32)
        layers[f"{name}_bias"] = np.zeros(64, np.float32)
    np.savez(tmp_path / "vgg.npz", **layers)
    return tmp_path / "data", tmp_path / "vgg.npz"


def test_a_thousand_workers(call: Callable[..., str]) -> None:
    table = call("benchmarks.batch.simulation", "--photos_each=2")
    rates = dict(re.findall(r"^\| nothing goes wrong \| (\d+) \| ([\d.]+) \|", table, re.M))
    assert list(rates) == ["10", "100", "1000"]
    assert float(rates["1000"]) > 20 * float(rates["10"])


def test_damaged_pictures(call: Callable[..., str]) -> None:
    told = call("benchmarks.studies.fuzz_pictures", "--count=20")
    read, refused = re.findall(r"(\d+) (?:picture|refused)", told)
    assert int(read) + int(refused) == 20


def test_scales_of_features(call: Callable[..., str], drawn: tuple[Path, Path]) -> None:
    data, vgg = drawn
    flags = f"--data={data / 'one'}", f"--vgg_weights={vgg}", "--layers=block1_conv2"
    table = call("benchmarks.studies.feature_scale", *flags)
    (pixel,) = map(float, re.findall(r"L_pixel ([\d.]+)", table))
    (row,) = re.findall(r"^block1_conv2 +(.+)$", table, re.M)
    after, scale_after, before, scale_before = map(float, row.split())
    # what the scales are for, with λ2 = 6e-3; they have two digits
    assert 6e-3 * scale_after * after == pytest.approx(pixel, rel=0.03)
    assert 6e-3 * scale_before * before == pytest.approx(pixel, rel=0.03)


def test_the_shipped_weights_on_a_set(call: Callable[..., str], drawn: tuple[Path, Path]) -> None:
    data, vgg = drawn
    flags = ["--sets=one", f"--vgg_weights={vgg}", "--vgg_layer=block1_conv2", "--xi=0,1"]
    table = call("benchmarks.studies.shipped_weights", f"--data={data}", *flags)
    psnr = dict(re.findall(r"^\| ([\w=]+) \| (\d\d\.\d\d) \|$", table, re.M))
    assert psnr["xi=0"] == psnr["mr_srgan"] and psnr["xi=1"] == psnr["wp_srgan_stage2"]
    hr = read_rgb(data / "one" / "a.png")
    y, of_bicubic = rgb_to_y(hr), rgb_to_y(bicubic_upscale(bicubic_downscale(hr)))
    expected = peak_signal_noise_ratio(y[6:-6, 6:-6], of_bicubic[6:-6, 6:-6])
    assert float(psnr["bicubic"]) == pytest.approx(expected, abs=0.006)


def test_times_of_the_degradation(call: Callable[..., str]) -> None:
    (seconds,) = re.findall(
        r"^\| back \| ([\d.]+) \|$", call("benchmarks.timing.degradation"), re.M
    )
    assert 0 < float(seconds) < 100


def test_costs_of_tiles(call: Callable[..., str]) -> None:
    flags = "--width=40", "--height=24", "--memory_mb=1500", "--overlap=0"
    assert "\n0 of 15360 pixels differ" in call("benchmarks.timing.tiles", *flags)

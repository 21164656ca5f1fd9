import dataclasses
import json
import shutil
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from sr_program.errors import DataError, UsageError
from srgan.config import ObjectiveConfig
from srgan.layers.discriminator import build_discriminator
from srgan.runs.start import start_from_run
from srgan.runs.weights import save_weights
from wp_srgan.config import GeneratorConfig
from wp_srgan.gan import WpSrgan
from wp_srgan.generator import build_generator
from wp_srgan.stages import STAGES, stage_1_of, stage_dir


def model(seed: int, adversarial: bool = True, num_res_blocks: int = 1) -> WpSrgan:
    keras.utils.set_random_seed(seed)
    discriminator = None
    if adversarial:
        discriminator = build_discriminator(16, batch_norm=False, base_filters=2, dense_units=4)
    generator = build_generator(architecture(num_res_blocks))
    return WpSrgan(generator, ObjectiveConfig(), stage=2, discriminator=discriminator)


def architecture(num_res_blocks: int = 1) -> GeneratorConfig:
    return GeneratorConfig(num_res_blocks=num_res_blocks, features=2)


def start_from_stage_1(second: WpSrgan, run_dir: Path, num_res_blocks: int = 1) -> None:
    folder = stage_1_of(run_dir, second.discriminator is not None)
    start_from_run(second, architecture(num_res_blocks), folder)


def write_settings(folder: Path, settings: dict) -> None:
    (folder / "config.json").write_text(json.dumps({"generator": settings}))


def values(network: keras.Model) -> list[np.ndarray]:
    return [np.array(v) for v in network.variables]


@pytest.fixture(scope="module")
def finished() -> WpSrgan:
    return model(1)


@pytest.fixture
def run_dir(finished, tmp_path) -> Path:
    folder = tmp_path / "run" / "stage1"
    folder.mkdir(parents=True)
    write_settings(folder, dataclasses.asdict(architecture()))
    save_weights(finished.generator, folder / "generator.weights.h5")
    save_weights(finished.discriminator, folder / "discriminator.weights.h5")
    return tmp_path / "run"


def test_folders():
    assert STAGES == (1, 2)
    assert stage_dir("runs/wp", 1) == Path("runs/wp/stage1")
    assert stage_dir(Path("runs/wp"), 2) == Path("runs/wp/stage2")


def test_both_networks_start_from_stage_1(finished, run_dir):
    second = model(2)
    start_from_stage_1(second, run_dir)
    for name in ("generator", "discriminator"):
        pair = values(getattr(finished, name)), values(getattr(second, name))
        for expected, found in zip(*pair, strict=True):
            np.testing.assert_array_equal(expected, found)


def test_a_stage_2_without_discriminator_needs_none(finished, run_dir):
    (run_dir / "stage1" / "discriminator.weights.h5").unlink()
    second = model(2, adversarial=False)
    start_from_stage_1(second, run_dir)
    for expected, found in zip(values(finished.generator), values(second.generator), strict=True):
        np.testing.assert_array_equal(expected, found)


@pytest.mark.parametrize("missing", ["generator", "discriminator", "folder"])
def test_what_is_missing_and_how_to_make_it(run_dir, missing):
    if missing == "folder":
        shutil.rmtree(run_dir / "stage1")
        missing = "generator"
    else:
        (run_dir / "stage1" / f"{missing}.weights.h5").unlink()
    second = model(2)
    before = values(second.generator)
    with pytest.raises(DataError) as caught:
        start_from_stage_1(second, run_dir)
    message = str(caught.value)
    assert f"there is no {run_dir / 'stage1' / f'{missing}.weights.h5'}" in message
    assert f"python -m wp_srgan.train --stage=1 --run_dir={run_dir}" in message
    assert ("with the adversarial loss on" in message) == (missing == "discriminator")
    assert message.endswith(", or name another run by --init_run")
    for old, new in zip(before, values(second.generator), strict=True):
        np.testing.assert_array_equal(old, new)


def test_another_architecture(run_dir):
    with pytest.raises(
        UsageError, match="stage1 has another generator: --num_res_blocks was 1, is 2"
    ):
        start_from_stage_1(model(2, num_res_blocks=2), run_dir, 2)
    # Settings that are not the weights'.
    write_settings(run_dir / "stage1", dataclasses.asdict(architecture(2)))
    with pytest.raises(DataError, match=r"stage1/generator\.weights\.h5: .* do not fit wp_srgan"):
        start_from_stage_1(model(2, num_res_blocks=2), run_dir, 2)
    write_settings(run_dir / "stage1", dataclasses.asdict(architecture()))
    with h5py.File(run_dir / "stage1" / "discriminator.weights.h5", "w"):
        pass
    with pytest.raises(DataError, match=r"discriminator\.weights\.h5: .* do not fit"):
        start_from_stage_1(model(2), run_dir)


def test_the_generator_of_an_older_stage_1_has_the_defaults(finished, run_dir):
    settings = dataclasses.asdict(architecture())
    del settings["shared_slopes"]
    write_settings(run_dir / "stage1", settings)
    start_from_stage_1(model(2), run_dir)
    shared = dataclasses.replace(architecture(), shared_slopes=True)
    with pytest.raises(UsageError, match="--shared_slopes was False, is True"):
        start_from_run(model(2), shared, run_dir / "stage1")


def test_any_run_without_a_discriminator_may_be_the_start(finished, run_dir):
    (run_dir / "stage1" / "discriminator.weights.h5").unlink()
    second = model(2)
    own = values(second.discriminator)
    start_from_run(second, architecture(), run_dir / "stage1")
    for expected, found in zip(values(finished.generator), values(second.generator), strict=True):
        np.testing.assert_array_equal(expected, found)
    for expected, found in zip(own, values(second.discriminator), strict=True):
        np.testing.assert_array_equal(expected, found)

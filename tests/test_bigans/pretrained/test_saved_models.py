import dataclasses
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from bigans.pretrained import saved_models as module
from bigans.pretrained.manifest import (
    PretrainedGenerator,
    read_manifest,
    write_manifest,
)
from bigans.pretrained.pairs import PAIRS, Pair
from bigans.pretrained.saved_models import Shipped, saved_models, stage_1_model
from sr_program.errors import DataError
from sr_program.files.hashes import file_sha256


class FakeBuild:
    """Stands for the builders: writes what they would write, and counts."""

    def __init__(self) -> None:
        self.calls = 0
        self.precisions: list[str] = []

    def __call__(self, directory: Path, shipped: Shipped) -> None:
        self.calls += 1
        self.precisions.append(shipped.precision)
        for model in ("mr_srgan", "wp_srgan/stage2", "fused"):
            (directory / model / "1").mkdir(parents=True)
            (directory / model / "1" / "saved_model.pb").write_text(model)


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> FakeBuild:
    fake = FakeBuild()
    monkeypatch.setattr(module, "_build", fake)
    return fake


def test_models_are_built_once(weights_dir: Path, tmp_path: Path, build: FakeBuild) -> None:
    first = saved_models(Shipped(tmp_path / "cache", weights_dir))
    assert saved_models(Shipped(tmp_path / "cache", weights_dir)) == first
    assert build.calls == 1
    assert (first.faithful / "saved_model.pb").read_text() == "mr_srgan"
    assert (first.vivid / "saved_model.pb").read_text() == "wp_srgan/stage2"
    assert (first.fused / "saved_model.pb").read_text() == "fused"
    assert {path.name for path in (first.faithful, first.vivid, first.fused)} == {"1"}


def test_a_later_call_imports_neither_keras_nor_tensorflow(
    weights_dir: Path, tmp_path: Path, build: FakeBuild, subprocess_environment: dict[str, str]
) -> None:
    saved_models(Shipped(tmp_path / "cache", weights_dir))
    code = (
        "import sys; from pathlib import Path;"
        "from bigans.pretrained.saved_models import Shipped, saved_models;"
        "print(saved_models(Shipped(sys.argv[1], Path(sys.argv[2]))).fused);"
        "print(sorted({'keras', 'tensorflow', 'mr_srgan', 'wp_srgan'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache"), str(weights_dir)]
    result = subprocess.run(
        command, env=subprocess_environment, capture_output=True, text=True, check=True
    )
    fused, imported = result.stdout.splitlines()
    assert Path(fused, "saved_model.pb").is_file()
    assert imported == "[]"
    assert result.stderr == ""


def _change_weights(weights_dir: Path) -> None:
    manifest = read_manifest(weights_dir)
    path = weights_dir / manifest["mr_srgan_photo"].file
    path.write_bytes(b"other")
    entry = dataclasses.replace(manifest["mr_srgan_photo"], sha256=file_sha256(path))
    write_manifest({**manifest, "mr_srgan_photo": entry}, weights_dir)


def _change_config(weights_dir: Path) -> None:
    manifest = read_manifest(weights_dir)
    entry = dataclasses.replace(manifest["wp_srgan_photo"], config={"features": 9})
    write_manifest({**manifest, "wp_srgan_photo": entry}, weights_dir)


@pytest.mark.parametrize("change", [_change_weights, _change_config])
def test_other_weights_are_another_set(
    weights_dir: Path, tmp_path: Path, build: FakeBuild, change: Callable[[Path], None]
) -> None:
    first = saved_models(Shipped(tmp_path / "cache", weights_dir))
    change(weights_dir)
    assert saved_models(Shipped(tmp_path / "cache", weights_dir)) != first
    assert build.calls == 2


def test_other_code_is_another_set(
    weights_dir: Path, tmp_path: Path, build: FakeBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = dict(module._builder_sources())
    assert "fusion/soft_threshold.py" in sources and "srgan/layers/subpixel.py" in sources
    first = saved_models(Shipped(tmp_path / "cache", weights_dir))
    sources["fusion/soft_threshold.py"] += b"\n"
    monkeypatch.setattr(module, "_builder_sources", lambda: iter(sources.items()))
    assert saved_models(Shipped(tmp_path / "cache", weights_dir)) != first


def test_stage_1_is_built_on_demand(
    weights_dir: Path, tmp_path: Path, build: FakeBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def build_stage_1(directory: Path, shipped: Shipped) -> None:
        calls.append(shipped.weights("wp_srgan_stage1"))
        (directory / "1").mkdir()
        (directory / "1" / "saved_model.pb").write_text("stage 1")

    monkeypatch.setattr(module, "_build_stage_1", build_stage_1)
    path = stage_1_model(Shipped(tmp_path / "cache", weights_dir))
    assert stage_1_model(Shipped(tmp_path / "cache", weights_dir)) == path
    assert (path / "saved_model.pb").read_text() == "stage 1"
    assert calls == [weights_dir / "wp_srgan_stage1.weights.h5"]
    assert build.calls == 1
    (weights_dir / "wp_srgan_stage1.weights.h5").write_bytes(b"damaged")
    with pytest.raises(DataError, match="install the program again"):
        stage_1_model(Shipped(tmp_path / "cache", weights_dir))


@pytest.mark.parametrize(
    ("pair", "name"),
    [
        ("clean", "mr_srgan"),
        ("clean", "wp_srgan_stage2"),
        ("photo", "mr_srgan_photo"),
        ("photo", "wp_srgan_photo"),
    ],
)
def test_damaged_weights_are_refused(
    weights_dir: Path, tmp_path: Path, build: FakeBuild, pair: Pair, name: str
) -> None:
    saved_models(Shipped(tmp_path / "cache", weights_dir, pair=pair))
    (weights_dir / f"{name}.weights.h5").write_bytes(b"damaged")
    with pytest.raises(DataError, match=f"{name}.weights.h5: .*install the program again"):
        saved_models(Shipped(tmp_path / "cache", weights_dir, pair=pair))
    other: Pair = "photo" if pair == "clean" else "clean"
    assert saved_models(Shipped(tmp_path / "cache", weights_dir, pair=other))


def test_a_failed_build_leaves_nothing(
    weights_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(directory: Path, *_: object) -> None:
        (directory / "mr_srgan").mkdir()
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(module, "_build", fail)
        with pytest.raises(KeyboardInterrupt):
            saved_models(Shipped(tmp_path / "cache", weights_dir))
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [".lock"]


def test_an_incomplete_set_is_built_anew(
    weights_dir: Path, tmp_path: Path, build: FakeBuild
) -> None:
    paths = saved_models(Shipped(tmp_path / "cache", weights_dir))
    (paths.vivid / "saved_model.pb").unlink()
    assert saved_models(Shipped(tmp_path / "cache", weights_dir)) == paths
    assert (paths.vivid / "saved_model.pb").is_file()


def test_what_a_killed_build_left_is_removed(
    weights_dir: Path, tmp_path: Path, build: FakeBuild
) -> None:
    left = tmp_path / "cache" / ".tmp-0123-key"
    left.mkdir(parents=True)
    saved_models(Shipped(tmp_path / "cache", weights_dir))
    assert not left.exists()


def test_few_old_sets_stay_those_used_last(
    weights_dir: Path, tmp_path: Path, build: FakeBuild
) -> None:
    cache = tmp_path / "cache"
    for age, name in enumerate(["a", "b", "c", "d", "e", "f"]):
        (cache / name).mkdir(parents=True)
        os.utime(cache / name, (1000 - age, 1000 - age))
    (cache / "openvino").mkdir()  # no set, and not counted
    os.utime(cache / "openvino", (1, 1))
    newest = saved_models(Shipped(cache, weights_dir)).fused.parent.parent
    left = {path for path in cache.iterdir() if path.is_dir()} - {newest}
    assert {path.name for path in left} == {"a", "b", "c", "d", "e", "openvino"}


def test_each_precision_has_its_models(weights_dir: Path, tmp_path: Path, build: FakeBuild) -> None:
    cache = tmp_path / "cache"
    exact = saved_models(Shipped(cache, weights_dir))
    fast = saved_models(Shipped(cache, weights_dir, "bfloat16"))
    assert exact.fused != fast.fused
    assert saved_models(Shipped(cache, weights_dir, "float32")) == exact
    assert build.precisions == ["float32", "bfloat16"]


def test_each_pair_has_its_models(weights_dir: Path, tmp_path: Path, build: FakeBuild) -> None:
    cache = tmp_path / "cache"
    photo, clean = (saved_models(Shipped(cache, weights_dir, pair=pair)) for pair in PAIRS)
    assert photo.fused != clean.fused
    assert saved_models(Shipped(cache, weights_dir)) == photo
    assert build.calls == 2


def test_the_cache_folder(
    weights_dir: Path, tmp_path: Path, build: FakeBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIGANS_CACHE", str(tmp_path / "of variable"))
    assert saved_models(Shipped(None, weights_dir)).fused.is_relative_to(tmp_path / "of variable")
    assert saved_models(Shipped(tmp_path / "given", weights_dir)).fused.is_relative_to(
        tmp_path / "given"
    )
    monkeypatch.delenv("BIGANS_CACHE")
    of_user = str(tmp_path / "of user")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: of_user)
    assert saved_models(Shipped(None, weights_dir)).fused.is_relative_to(tmp_path / "of user")


def test_a_cache_folder_that_cannot_be(weights_dir: Path, tmp_path: Path, build: FakeBuild) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot keep the models here .*BIGANS_CACHE"):
        saved_models(Shipped(tmp_path / "file" / "cache", weights_dir))


def test_two_processes_at_once_build_once(
    weights_dir: Path, tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    code = """
import os, sys, time
from pathlib import Path
from bigans.pretrained import saved_models as module

def build(directory, shipped):
    with open(sys.argv[3], "a") as log:
        log.write(f"{os.getpid()}\\n")
    for model in ("mr_srgan", "wp_srgan/stage2", "fused"):
        (directory / model / "1").mkdir(parents=True)
        time.sleep(0.5)
        (directory / model / "1" / "saved_model.pb").touch()

module._build = build
print("ready", flush=True)
sys.stdin.readline()
paths = module.saved_models(module.Shipped(sys.argv[1], Path(sys.argv[2])))
assert all((p / "saved_model.pb").is_file() for p in (paths.faithful, paths.vivid, paths.fused))
print(paths.fused)
"""
    log = tmp_path / "builds"
    command = [sys.executable, "-c", code, str(tmp_path / "cache"), str(weights_dir), str(log)]
    processes = [
        subprocess.Popen(
            command,
            env=subprocess_environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0]
    assert len(log.read_text().splitlines()) == 1


def test_real_generators_become_models(tmp_path: Path) -> None:
    """Tiny random generators through the real builders, without a fake."""
    import mr_srgan.config
    import mr_srgan.generator
    import wp_srgan.config
    import wp_srgan.generator
    from bigans import Upscaler

    mr_config = mr_srgan.config.GeneratorConfig(num_mr_blocks=1, num_res_blocks=1, features=4)
    wp_config = wp_srgan.config.GeneratorConfig(num_res_blocks=1, features=4, bicubic_skip=True)
    generators = {
        "mr_srgan": (mr_srgan.generator.build_generator(mr_config), mr_config),
        "wp_srgan_stage1": (wp_srgan.generator.build_generator(wp_config), wp_config),
        "wp_srgan_stage2": (wp_srgan.generator.build_generator(wp_config), wp_config),
        "mr_srgan_photo": (mr_srgan.generator.build_generator(mr_config), mr_config),
        "wp_srgan_photo": (wp_srgan.generator.build_generator(wp_config), wp_config),
    }
    manifest = {}
    for name, (generator, config) in generators.items():
        path = tmp_path / f"{name}.weights.h5"
        generator.save_weights(path)
        fields = dataclasses.asdict(config)
        manifest[name] = PretrainedGenerator(path.name, file_sha256(path), fields, "recipe")
    write_manifest(manifest, tmp_path)

    photo, clean = (
        saved_models(Shipped(tmp_path / "cache", tmp_path, pair=pair)) for pair in PAIRS
    )
    image = np.random.default_rng(0).integers(0, 256, (2, 9, 11, 3), dtype=np.uint8)
    enlarged = {}
    for name, path in (
        ("mr_srgan", clean.faithful),
        ("wp_srgan_stage1", stage_1_model(Shipped(tmp_path / "cache", tmp_path))),
        ("wp_srgan_stage2", clean.vivid),
        ("mr_srgan_photo", photo.faithful),
        ("wp_srgan_photo", photo.vivid),
    ):
        sr = np.asarray(generators[name][0](image / np.float32(127.5) - 1))
        expected = np.clip((sr + 1) * 127.5, 0, 255)
        enlarged[name] = Upscaler(path)(image)
        # Rounded: half a level, and a little for another order of the sums.
        assert np.abs(enlarged[name] - expected).max() < 0.51
    for paths, faithful, vivid in (
        (clean, "mr_srgan", "wp_srgan_stage2"),
        (photo, "mr_srgan_photo", "wp_srgan_photo"),
    ):
        fused = Upscaler(paths.fused)
        np.testing.assert_array_equal(fused(image, xi=0), enlarged[faithful])
        np.testing.assert_array_equal(fused(image, xi=1), enlarged[vivid])
        assert (enlarged[faithful] != enlarged[vivid]).mean() > 0.5


def test_weights_of_another_program(weights_dir: Path, tmp_path: Path) -> None:
    manifest = read_manifest(weights_dir)
    entry = dataclasses.replace(manifest["mr_srgan_photo"], config={"depth": 3})
    write_manifest({**manifest, "mr_srgan_photo": entry}, weights_dir)
    with pytest.raises(DataError, match="weights of mr_srgan_photo do not fit .*depth.*install"):
        saved_models(Shipped(tmp_path / "cache", weights_dir))


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_flip, _empty, Path.unlink])
@pytest.mark.parametrize("model", ["faithful", "vivid", "fused"])
def test_a_damaged_set_is_built_again(
    weights_dir: Path,
    tmp_path: Path,
    build: FakeBuild,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Path], None],
    model: str,
) -> None:
    paths = saved_models(Shipped(tmp_path / "cache", weights_dir))
    before = {file: file.read_bytes() for file in tmp_path.glob("cache/*/**/*.pb")}
    assert len(before) == 3 and caplog.messages == []
    damage(getattr(paths, model) / "saved_model.pb")
    assert saved_models(Shipped(tmp_path / "cache", weights_dir)) == paths
    assert {file: file.read_bytes() for file in tmp_path.glob("cache/*/**/*.pb")} == before
    assert build.calls == 2
    (message,) = caplog.messages
    assert str(paths.fused.parent.parent) in message and "damaged" in message
    saved_models(Shipped(tmp_path / "cache", weights_dir))
    assert build.calls == 2


def test_a_file_in_the_place_of_a_set(weights_dir: Path, tmp_path: Path, build: FakeBuild) -> None:
    paths = saved_models(Shipped(tmp_path / "cache", weights_dir))
    shutil.rmtree(paths.fused.parent.parent)
    paths.fused.parent.parent.write_text("a file")
    assert saved_models(Shipped(tmp_path / "cache", weights_dir)) == paths
    assert build.calls == 2


def test_a_damaged_stage_1_is_built_again(
    weights_dir: Path, tmp_path: Path, build: FakeBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_stage_1(directory: Path, *_: object) -> None:
        (directory / "1").mkdir()
        (directory / "1" / "saved_model.pb").write_text("stage 1")

    monkeypatch.setattr(module, "_build_stage_1", build_stage_1)
    path = stage_1_model(Shipped(tmp_path / "cache", weights_dir)) / "saved_model.pb"
    _flip(path)
    stage_1_model(Shipped(tmp_path / "cache", weights_dir))
    assert path.read_text() == "stage 1"
    assert build.calls == 1


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        # What TensorFlow raises is no OSError.
        RuntimeError("/cache/variables/part-0; No space left on device [Op:SaveV2]"),
    ],
)
def test_a_full_disk_names_the_variable(
    weights_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr(module, "_build", full)
    with pytest.raises(DataError) as caught:
        saved_models(Shipped(tmp_path / "cache", weights_dir))
    assert str(caught.value) == (
        f"{tmp_path / 'cache'}: cannot keep the models here (No space left on device); "
        "name another folder in the environment variable BIGANS_CACHE"
    )
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [".lock"]

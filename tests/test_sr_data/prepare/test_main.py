"""The program `python -m sr_data.prepare`."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from PIL import Image

from sr_data.prepare.__main__ import cli_main
from sr_data.prepare.preparation import damaged_shards, prepare
from sr_data.prepare.tile_manifest import TileSettings
from sr_data.prepared import PreparedSource
from sr_images.image_io import write_rgb
from sr_program.errors import DataError

pytest.importorskip("array_record")

SETTINGS = TileSettings(tile=16, shard_size=2)


def contents(folder):
    """All files that are not hidden."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def half_written(folder):
    return list(folder.rglob(".tmp-*"))


def unit(value):
    """A photo that no other has."""
    return np.random.default_rng(value).integers(0, 256, (20, 24, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def reference(noise_photos, tmp_path_factory):
    """What one process makes of the photos, undisturbed."""
    folder = tmp_path_factory.mktemp("reference") / "set"
    outcome = prepare(f"folder:{noise_photos}", folder, SETTINGS, workers=1)
    assert (outcome.photos, outcome.made, outcome.replaced, outcome.skipped) == (5, 3, (), ())
    assert outcome.tiles == 4 * 5 + 3 * 3 + 7 * 3 + 2 * 6 + 5 * 5
    assert PreparedSource(folder).names == ("0.png", "1.png", "2.png", "3.png", "4.png")
    return folder


def test_files_and_checksums(reference):
    names = [f"shards/{number:05d}" for number in range(3)]
    expected = ["manifest.json", "plan.json"]
    expected += [name + suffix for name in names for suffix in (".array_record", ".json")]
    files = contents(reference)
    assert sorted(files) == sorted(expected)
    manifest = json.loads(files["manifest.json"])
    assert manifest["settings"]["tile"] == 16
    for name, shard in zip(names, manifest["shards"], strict=True):
        content = files[f"{name}.array_record"]
        assert (shard["size"], shard["sha256"]) == (
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
        assert json.loads(files[f"{name}.json"]) == shard
    photos = [photo for shard in manifest["shards"] for photo in shard["photos"]]
    sizes = [(photo["name"], photo["height"], photo["width"]) for photo in photos]
    assert sizes[0] == ("0.png", 64, 80) and sizes[3:] == [("3.png", 20, 88), ("4.png", 76, 68)]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_bytes_depend_on_photos_and_settings_alone(
    noise_photos, reference, tmp_path, call_program, capsys, workers
):
    """In a second run, and shared out to processes; through the program."""
    arguments = [f"--data=folder:{noise_photos}", f"--output={tmp_path / 'set'}"]
    assert (
        call_program(cli_main, *arguments, "--tile=16", "--shard_size=2", f"--workers={workers}")
        == 0
    )
    assert contents(tmp_path / "set") == contents(reference)
    assert half_written(tmp_path) == []
    assert capsys.readouterr().out == (
        f"5 photos in 87 tiles, 0.00 GB; train with --data=prepared:{tmp_path / 'set'}\n"
    )


def test_a_cluster_makes_the_same_bytes(
    noise_photos, reference, tmp_path, call_program, monkeypatch
):
    """Its workers have a current folder of their own."""
    pytest.importorskip("distributed", reason="needs Dask: pip install 'bi-gans-st[dask]'")
    monkeypatch.chdir(noise_photos.parent)
    arguments = [f"--data=folder:{noise_photos.name}", f"--output={tmp_path / 'set'}"]
    arguments += ["--tile=16", "--shard_size=2", "--engine=dask", "--workers=2"]
    assert call_program(cli_main, *arguments) == 0
    assert contents(tmp_path / "set") == contents(reference)
    assert half_written(tmp_path) == []


def test_the_same_command_again_changes_nothing(noise_photos, reference, tmp_path):
    copy = shutil.copytree(reference, tmp_path / "set")
    shards = sorted((copy / "shards").glob("*.array_record"))
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in shards]
    outcome = prepare(f"folder:{noise_photos}", copy, SETTINGS, workers=1)
    assert (outcome.made, outcome.replaced) == (0, ())
    assert [(path.stat().st_ino, path.stat().st_mtime_ns) for path in shards] == before
    assert contents(copy) == contents(reference)


def test_damaged_files_are_named_and_made_anew(
    noise_photos, reference, tmp_path, call_program, capsys
):
    copy = shutil.copytree(reference, tmp_path / "set")
    path = copy / "shards" / "00001.array_record"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # in the padding: no reader would notice
    path.write_bytes(content)
    assert damaged_shards(copy) == ["00001.array_record"]
    assert call_program(cli_main, f"--output={copy}", "--verify") == 1
    error = capsys.readouterr().err
    assert "set: damaged or missing: 00001.array_record; run the preparation again" in error
    assert error.count("\n") == 1

    arguments = [f"--data=folder:{noise_photos}", f"--output={copy}", "--workers=1"]
    assert call_program(cli_main, *arguments, "--tile=16", "--shard_size=2") == 0
    assert "00001.array_record was damaged and has been made anew\n" in capsys.readouterr().err
    assert contents(copy) == contents(reference)
    assert call_program(cli_main, f"--output={copy}", "--verify") == 0
    assert capsys.readouterr().out == f"{copy}: all files are as they were written\n"


@pytest.mark.parametrize("note", [None, "{", "[]", '{"file": "00001.array_record"}'])
def test_a_file_without_its_note_is_not_trusted(noise_photos, reference, tmp_path, note):
    """Killed between the two, for one."""
    copy = shutil.copytree(reference, tmp_path / "set")
    path = copy / "shards" / "00001.json"
    path.unlink()
    if note is not None:
        path.write_text(note)
    assert prepare(f"folder:{noise_photos}", copy, SETTINGS, workers=1).made == 1
    assert contents(copy) == contents(reference)


def test_photos_that_cannot_be_used_are_named_and_left_out(tmp_path, call_program, capsys):
    photos = tmp_path / "photos"
    photos.mkdir()
    write_rgb(photos / "b.png", unit(0))
    write_rgb(photos / "d.png", unit(1))
    (photos / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    (photos / "c.png").write_bytes((photos / "b.png").read_bytes()[:500])
    Image.new("RGB", (9, 3)).save(photos / "e.png")
    arguments = [f"--data=folder:{photos}", f"--output={tmp_path / 'set'}", "--workers=1"]
    assert call_program(cli_main, *arguments, "--shard_size=1") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("2 photos in 2 tiles")
    lines = captured.err.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [["sr_data.prepare", "left out"]] * 3
    reasons = "a.jpg: ", "c.png: is damaged", "e.png: is smaller than 4x4"
    for line, name in zip(lines, reasons, strict=True):
        assert name in line
    source = PreparedSource(tmp_path / "set")
    assert source.names == ("b.png", "d.png")
    assert source.skipped_corrupt == ["a.jpg", "c.png", "e.png"]
    np.testing.assert_array_equal(source.cut(1, 0, 0, 5)[0], unit(1)[:, :20])


def test_no_usable_photo(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"none of 1 photos can be used, as .*a\.png: "):
        prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "set", SETTINGS, workers=1)
    with pytest.raises(DataError, match="is not complete"):
        PreparedSource(tmp_path / "set")


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--data={photos}"], 2, "--output is required"),
        (["--output={new}"], 2, "--data is required"),
        (["--data={photos}", "--output={new}", "more"], 2, "unexpected argument 'more'"),
        (["--data={photos}", "--output={new}", "--tile=30"], 2, "--tile must be a multiple of 4"),
        (["--data={photos}", "--output={new}", "--tile=4100"], 2, "--tile must be a multiple"),
        (["--data={photos}", "--output={new}", "--shard_size=0"], 2, "--shard_size must be at"),
        (["--data={photos}", "--output={new}", "--min_std=nan"], 2, "--min_std must be in"),
        (["--data={photos}", "--output={new}", "--workers=-1"], 2, "--workers must be at least 0"),
        (["--data=photos", "--output={new}"], 2, "unknown image source 'photos'; write folder:DIR"),
        (["--data=prepared:{old}", "--output={new}"], 2, "is prepared already"),
        (["--data=folder:{new}", "--output={new}"], 1, "no such folder; name a folder of images"),
        (["--data={photos}", "--output={new}/deeper"], 1, "No such file or directory"),
        (["--data={photos}", "--output={file}"], 2, "is a file; name a folder"),
        (["--data={photos}", "--output={other}"], 1, "holds other files; name a new folder"),
        (
            ["--data={photos}", "--output={old}", "--tile=16"],
            1,
            "begun with --shard_size=2, not 32",
        ),
        (["--data={photos}", "--output={old}"], 1, ": {old}: was begun with --tile=16, not 192"),
        (["--output={new}", "--verify"], 1, "holds no prepared photos; make them: python -m"),
    ],
)
def test_wrong_commands_end_in_one_line(
    noise_photos, reference, tmp_path, call_program, capsys, arguments, code, complaint
):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").touch()
    places = {
        "photos": f"folder:{noise_photos}",
        "new": tmp_path / "new",
        "old": reference,
        "file": tmp_path / "other" / "letter.txt",
        "other": tmp_path / "other",
    }
    before = contents(reference)
    assert call_program(cli_main, *(one.format(**places) for one in arguments)) == code
    error = capsys.readouterr().err
    assert complaint.format(**places) in error and error.count("\n") == 1
    assert not (tmp_path / "new" / "shards").exists()
    assert contents(reference) == before


@pytest.mark.parametrize("plan", ["{", "[]", "5", '{"settings": 3}', '{"settings": {}}', "\udcff"])
def test_a_damaged_plan(reference, noise_photos, tmp_path, call_program, capsys, plan):
    copy = shutil.copytree(reference, tmp_path / "copy")
    (copy / "plan.json").write_bytes(plan.encode("utf-8", "surrogateescape"))
    arguments = f"--data=folder:{noise_photos}", f"--output={copy}", "--tile=16", "--shard_size=2"
    assert call_program(cli_main, *arguments) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "plan.json: is " in line
    assert line.endswith("; give another --output, or delete the folder")


def test_a_plan_of_another_order(reference, noise_photos, tmp_path):
    copy = shutil.copytree(reference, tmp_path / "copy")
    plan = json.loads((copy / "plan.json").read_text())
    plan["photos"].reverse()
    (copy / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(DataError, match="copy: was begun with its photos in another order"):
        prepare(f"folder:{noise_photos}", copy, SETTINGS, workers=1)


@pytest.mark.parametrize("change", ["new", "gone", "changed"])
def test_other_photos_than_at_the_beginning_are_refused(tmp_path, change):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        write_rgb(photos / f"{number}.png", unit(number))
    prepare(f"folder:{photos}", tmp_path / "set", SETTINGS, workers=1)
    before = contents(tmp_path / "set")
    if change == "gone":
        (photos / "1.png").unlink()
    else:
        write_rgb(photos / {"new": "1b.png", "changed": "1.png"}[change], unit(9)[:16])
    name = {"new": "1b.png"}.get(change, "1.png")
    with pytest.raises(DataError, match=rf"with other photos, {name} is new, gone or changed"):
        prepare(f"folder:{photos}", tmp_path / "set", SETTINGS, workers=1)
    assert contents(tmp_path / "set") == before


def test_a_full_disk_ends_in_one_line(tmp_path, subprocess_environment, noise_photos):
    code = (
        "import resource, sys; from sr_data.prepare.__main__ import cli_main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        f"sys.argv = ['prepare', '--data=folder:{noise_photos}', '--output=set', '--workers=1']\n"
        "cli_main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=subprocess_environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "set/shards/00000.array_record: cannot be written" in done.stderr
    assert done.stderr.count("\n") == 1
    assert half_written(tmp_path) == [] and not (tmp_path / "set" / "manifest.json").exists()


def test_two_preparations_of_one_folder(noise_photos, tmp_path):
    from filelock import FileLock

    with FileLock(tmp_path / ".lock"), pytest.raises(DataError, match="another preparation is"):
        prepare(f"folder:{noise_photos}", tmp_path, SETTINGS, workers=1)


def start(photos, output, environment, *more):
    command = [sys.executable, "-m", "sr_data.prepare", f"--data=folder:{photos}"]
    return subprocess.Popen(
        [*command, f"--output={output}", "--shard_size=1", "--workers=2", *more],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def many_photos(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    block = np.random.default_rng(0).integers(0, 256, (700, 800, 3), dtype=np.uint8)
    for number in range(24):
        Image.fromarray(np.roll(block, 37 * number, axis=1)).save(folder / f"{number:02d}.bmp")
    return folder


@pytest.mark.parametrize("wanted", [1, 7])
def test_killed_and_run_again(many_photos, tmp_path, subprocess_environment, wanted):
    """kill -9 while two processes write; the same command then ends in the same bytes."""
    output = tmp_path / "set"
    notes = output / "shards"
    process = start(many_photos, output, subprocess_environment)
    wait_for(lambda: len(list(notes.glob("0*.json"))) >= wanted)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    assert not (output / "manifest.json").exists()
    # the workers do not stay behind
    psutil.wait_procs(children, timeout=20)
    assert not [child for child in children if child.is_running()]
    with pytest.raises(DataError, match="is not complete; run its preparation again"):
        PreparedSource(output)

    kept = [path.with_suffix(".array_record") for path in notes.glob("0*.json")]
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in kept}
    assert wanted <= len(kept) < 24
    assert start(many_photos, output, subprocess_environment).wait() == 0
    assert {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in kept} == before
    prepare(f"folder:{many_photos}", tmp_path / "whole", TileSettings(shard_size=1), workers=1)
    assert contents(output) == contents(tmp_path / "whole")
    assert half_written(tmp_path) == [] and damaged_shards(output) == []


def test_ctrl_c_ends_all_processes_at_once(many_photos, tmp_path, subprocess_environment):
    output = tmp_path / "set"
    process = start(many_photos, output, subprocess_environment)
    wait_for(lambda: list((output / "shards").glob("0*.json")))
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.splitlines()[-1] == "sr_data.prepare: interrupted" and "Traceback" not in error
    psutil.wait_procs(children, timeout=20)
    assert not [child for child in children if child.is_running()]
    assert half_written(output) == [] and not (output / "manifest.json").exists()


def test_a_worker_that_is_killed(many_photos, tmp_path, subprocess_environment):
    """As by a machine without memory left."""
    output = tmp_path / "set"
    process = start(many_photos, output, subprocess_environment)
    wait_for(lambda: list((output / "shards").glob("0*.json")))
    workers = [
        child
        for child in psutil.Process(process.pid).children()
        if "resource_tracker" not in " ".join(child.cmdline())
    ]
    workers[0].kill()
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "a worker process was killed, perhaps because memory ran out" in error
    assert error.count("\n") == 1
    assert half_written(output) == []


def peak_memory(arguments, environment):
    """MB that one process takes to prepare."""
    code = (
        "import resource, sys; from sr_data.prepare.__main__ import cli_main\n"
        f"sys.argv = ['prepare', *{arguments!r}, '--workers=1']\n"
        "try: cli_main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    kilobytes = int(done.stdout.split()[-1])
    return kilobytes / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has another unit")
def test_memory_holds_one_photo(tmp_path, subprocess_environment):
    """Eight photos of 36 MB take what one takes."""
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(np.zeros((3000, 4000, 3), np.uint8)).save(photos / "0.bmp")
    arguments = [f"--data=folder:{photos}", f"--output={tmp_path / 'one'}"]
    one = peak_memory(arguments, subprocess_environment)
    for number in range(1, 8):
        os.link(photos / "0.bmp", photos / f"{number}.bmp")
    arguments[1] = f"--output={tmp_path / 'eight'}"
    eight = peak_memory(arguments, subprocess_environment)
    assert eight < one + 36

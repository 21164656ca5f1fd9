"""The exported model under the C++ loader, as TensorFlow Serving runs it."""

import concurrent.futures
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from benchmarks.serving.bare_session import BareSession, ServingError
from bigans import Upscaler
from bigans.models.server.messages import PredictionLog
from bigans.models.server.tensors import to_array
from sr_images.orientation import upright

INVALID_ARGUMENT = 3


def noise(height: int, width: int, batch: int = 1, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (batch, height, width, 3), np.uint8)


def smooth(height: int, width: int) -> Any:
    rows, columns = np.mgrid[:height, :width] / 40
    waves = [np.sin(rows + columns * k) for k in (0.3, 0.7, 1.3)]
    return (127.5 + 100 * np.stack(waves, -1)).astype(np.uint8)


def encoded(pixels: Any, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()


def texts(*contents: bytes) -> Any:
    found = np.empty(len(contents), object)
    found[:] = contents
    return found


def numbers(*values: float) -> Any:
    return np.array(values, np.float32)


@pytest.fixture(scope="module")
def upscaler(fused_dir: Path) -> Upscaler:
    return Upscaler(fused_dir)


def refused(session: BareSession, signature: str, **inputs: Any) -> str:
    with pytest.raises(ServingError) as error:
        session.run(signature, **inputs)
    assert error.value.code == INVALID_ARGUMENT, error.value
    return error.value.words


@pytest.mark.parametrize(("height", "width"), [(9, 7), (72, 72), (73, 100), (1, 230), (140, 142)])
def test_tiles_give_what_the_upscaler_gives(session, upscaler, height, width) -> None:
    image = smooth(height, width)
    for how in ({"xi": 0.3}, {"xi": 0.0}, {"xi": 1.0}, {"max_deviation": 3.7}):
        found = session.run(
            "serving_default", image=image[None], **{k: numbers(v) for k, v in how.items()}
        )["sr"][0]
        wanted = upscaler(image, **how)
        assert np.abs(found.astype(int) - wanted).max() <= 1, how
        assert (found != wanted).mean() < 0.01


def test_defaults_and_one_value_an_image(session, upscaler) -> None:
    images = noise(12, 50, batch=2)
    both = session.run("serving_default", image=images, xi=numbers(0.2, 0.9))["sr"]
    for image, found, xi in zip(images, both, (0.2, 0.9), strict=True):
        assert np.abs(found.astype(int) - upscaler(image, xi=xi)).max() <= 1
    by_default = session.run("serving_default", image=images)["sr"]
    assert np.abs(by_default.astype(int) - upscaler(images, xi=0.73)).max() <= 1
    assert np.array_equal(by_default, session.run("image_only", image=images)["sr"])


def test_parts_and_unrounded(session) -> None:
    image = noise(50, 60)
    parts = session.run("components", image=image, xi=numbers(0.5))
    unrounded = session.run("unrounded", image=image, xi=numbers(0.5))["sr"]
    rounded = session.run("serving_default", image=image, xi=numbers(0.5))["sr"]
    assert np.array_equal(np.floor(unrounded + 0.5).astype(np.uint8), rounded)
    ends = [session.run("unrounded", image=image, xi=numbers(xi))["sr"] for xi in (0.0, 1.0)]
    for name, end in zip(("faithful", "vivid"), ends, strict=True):
        assert np.array_equal(parts[name], np.floor(end + 0.5).astype(np.uint8))
    away = np.abs(unrounded - ends[0]).sum(axis=-1)
    assert np.abs(parts["deviation"] - away).max() < 1e-3
    # The quantile itself, over all values of the image.
    limit = np.quantile(np.abs(ends[1] - ends[0]).astype(np.float64), 0.5)
    assert np.abs(unrounded - ends[0]).max() == pytest.approx(limit, abs=1e-3)


def test_generators_alone(session) -> None:
    image = noise(20, 30)
    pair = session.run("generators", image=image)
    levels = session.run("from_levels", levels=image.astype(np.float32))
    for name in ("faithful", "vivid"):
        assert pair[name].shape == (1, 80, 120, 3)
        assert np.array_equal(pair[name], levels[name])
    assert "0, 255" in refused(session, "from_levels", levels=np.full((1, 3, 3, 3), np.nan, "f"))
    assert "takes 5184" in refused(session, "generators", image=noise(100, 100))


def test_bytes(session) -> None:
    first, second = smooth(60, 50), noise(20, 30)[0]
    files = [
        encoded(first, "PNG"),
        encoded(first, "JPEG", quality=90),
        encoded(second, "WEBP", lossless=True),
        encoded(second, "WEBP"),
        encoded(second, "GIF"),
        encoded(second[..., 0], "PNG"),
        encoded(second[..., 0], "JPEG"),
        encoded(second, "GIF", save_all=True, append_images=[Image.fromarray(second // 2)]),
        encoded(first, "JPEG") + b"a video behind the photo" * 40,
    ]
    found = session.run("bytes", image_bytes=texts(*files))["sr_bytes"]
    for content, result in zip(files, found, strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        wanted = session.run("serving_default", image=pixels[None])["sr"][0]
        picture = Image.open(io.BytesIO(result))
        assert picture.format == "PNG"
        assert np.abs(np.asarray(picture).astype(int) - wanted).max() <= 1
    quality = np.array([80], np.int32)
    (jpeg,) = session.run("bytes", image_bytes=texts(files[0]), jpeg_quality=quality)["sr_bytes"]
    assert Image.open(io.BytesIO(jpeg)).size == (200, 240)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_orientation(session, format: str) -> None:
    pixels = smooth(12, 20)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x010F] = "a maker"
        exif[0x0112] = orientation
        options = {"lossless": True} if format == "WEBP" else {}
        content = encoded(pixels, format, exif=exif, **options)
        stored = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        (found,) = session.run("bytes", image_bytes=texts(content))["sr_bytes"]
        meant = np.ascontiguousarray(upright(stored, orientation))
        wanted = session.run("serving_default", image=meant[None])["sr"][0]
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(found))), wanted), orientation


def bad_files() -> dict[str, bytes]:
    pixels = noise(30, 30)[0]
    with_alpha = np.dstack([pixels, pixels[..., 0]])
    palette = Image.fromarray(pixels).quantize(8)
    buffer, cmyk = io.BytesIO(), io.BytesIO()
    palette.save(buffer, "PNG", transparency=0)
    Image.fromarray(pixels).convert("CMYK").save(cmyk, "JPEG")
    bomb = bytearray(encoded(pixels, "PNG"))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    gif = encoded(pixels, "GIF")
    place = gif.index(b"\x2c", 13 + 3 * 256)
    large_frame = gif[: place + 5] + b"\xff\xff\xff\xff" + gif[place + 9 :]
    return {
        "no PNG": b"",
        "is no PNG": encoded(pixels, "BMP"),
        "alpha": encoded(with_alpha, "PNG"),
        "an alpha": encoded(with_alpha, "WEBP"),
        "alpha channel": buffer.getvalue(),
        "16 bits": encoded(np.zeros((9, 9), np.uint16), "PNG"),
        "CMYK": cmyk.getvalue(),
        "60000x60000": bytes(bomb),
        "65535x65535": large_frame,
        "a PNG without its end": encoded(pixels, "PNG")[:-30],
        "a JPEG without its end": encoded(pixels, "JPEG")[:-30],
        "a GIF without": gif[:900],
        "300x300": encoded(np.zeros((300, 300, 3), np.uint8), "PNG"),
        "animated": encoded(
            pixels, "WEBP", save_all=True, append_images=[Image.fromarray(pixels // 2)]
        ),
    }


@pytest.mark.parametrize("words", list(bad_files()))
def test_bad_files_are_refused_by_their_index(session, words: str) -> None:
    good = encoded(noise(5, 5)[0], "PNG")
    told = refused(session, "bytes", image_bytes=texts(good, bad_files()[words]))
    assert "image_bytes[1] " in told
    assert words in told
    assert len(session.run("bytes", image_bytes=texts(good))["sr_bytes"]) == 1


@pytest.mark.parametrize(
    ("format", "part", "other"),
    [
        ("PNG", b"IDAT", b"IDAU"),
        ("JPEG", b"\xff\xc0", b"\xff\xfb"),  # the frame, with its size
        ("JPEG", b"\xff\xda", b"\xff\xfb"),  # the scan, behind a good head
        ("WEBP", b"\x9d\x01\x2a", b"\x9d\x00\x2a"),
        ("GIF", b"\x40\x08\xff", b"\x40\x20\xff"),  # bits of the first code
    ],
)
def test_damaged_files_are_refused_by_their_index(
    session, format: str, part: bytes, other: bytes
) -> None:
    """Their heads are whole; the decoders' own words would not say which picture it is."""
    pixels = noise(30, 30)[0]
    good = encoded(pixels, format)
    assert good.count(part) >= 1, good[:1000]
    told = refused(session, "bytes", image_bytes=texts(good, good.replace(part, other, 1)))
    assert "image_bytes[1] is damaged" in told


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"image": noise(4, 4)[0]}, "3 dimensions"),
        ({"image": np.zeros((), np.uint8)}, "0 dimensions"),
        ({"image": np.zeros((1, 1, 4, 4, 3), np.uint8)}, "5 dimensions"),
        ({"image": np.zeros((1, 4, 4, 4), np.uint8)}, "remove an alpha"),
        ({"image": np.zeros((1, 4, 4, 1), np.uint8)}, "repeat a gray"),
        ({"image": np.zeros((0, 4, 4, 3), np.uint8)}, "is empty"),
        ({"image": np.zeros((1, 0, 4, 3), np.uint8)}, "is empty"),
        ({"image": np.zeros((1 << 31, 1, 0, 3), np.uint8)}, "is empty"),
        ({"image": np.zeros((1, 200, 200, 3), np.uint8)}, "takes 20000 a request"),
        ({"image": np.zeros((2, 110, 100, 3), np.uint8)}, "takes 20000 a request"),
        ({"image": np.zeros((1, 4, 4, 3), np.float32)}, "uint8"),
        ({"xi": numbers(np.nan)}, "xi must lie in [0, 1]"),
        ({"xi": numbers(-0.1)}, "xi must lie in [0, 1]"),
        ({"xi": numbers(1.1)}, "xi must lie in [0, 1]"),
        ({"xi": numbers(np.inf)}, "xi must lie in [0, 1]"),
        ({"xi": numbers(0.1, 0.2)}, "xi has shape 2"),
        ({"xi": numbers()}, "xi has shape 0"),
        ({"xi": numbers(0.5)[None]}, "xi has shape 1x1"),
        ({"max_deviation": numbers(np.nan)}, "max_deviation must be"),
        ({"max_deviation": numbers(np.inf)}, "max_deviation must be"),
        ({"max_deviation": numbers(1, 2, 3)}, "max_deviation has shape 3"),
    ],
)
def test_bad_inputs_are_refused_in_words(session, inputs, words: str) -> None:
    inputs = {"image": noise(4, 4), **inputs}
    for signature in ("serving_default", "components", "unrounded"):
        assert words in refused(session, signature, **inputs)
    assert session.run("image_only", image=noise(4, 4))["sr"].shape == (1, 16, 16, 3)


@pytest.mark.parametrize("quality", [[101], [-1], [1, 2], []])
def test_bad_quality(session, quality: list[int]) -> None:
    inputs = {"image_bytes": texts(encoded(noise(4, 4)[0], "PNG"))}
    told = refused(session, "bytes", **inputs, jpeg_quality=np.array(quality, np.int32))
    assert "jpeg_quality" in told
    assert "image_bytes must be a list" in refused(session, "bytes", image_bytes=texts())


def test_what_is_told_of_the_model(session, exported: Path) -> None:
    told = json.loads(session.run("model_info")["model_info"].item())
    assert told == json.loads((exported / "1/assets.extra/model_info.json").read_text())
    assert told["scale"] == 4 and told["xi"] == 0.73 and told["max_pixels"] == 20_000
    assert len(told["weights"]) == 64
    shape = session.signatures["serving_default"].inputs["image"].tensor_shape
    assert [dim.size for dim in shape.dim] == [-1, -1, -1, 3]
    # Batching refuses scalars.
    for default in session.signatures["serving_default"].defaults.values():
        assert [dim.size for dim in default.tensor_shape.dim] == [1]


def test_warm_up_records(session, exported: Path) -> None:
    import tensorflow as tf

    records = tf.data.TFRecordDataset(str(exported / "1/assets.extra/tf_serving_warmup_requests"))
    seen = set()
    for record in records.as_numpy_iterator():
        request = PredictionLog.FromString(record).predict_log.request
        inputs = {name: to_array(tensor) for name, tensor in request.inputs.items()}
        session.run(request.model_spec.signature_name, **inputs)
        seen.add(request.model_spec.signature_name)
    assert {"serving_default", "image_only", "bytes", "components"} <= seen


def test_sixteen_threads(session) -> None:
    images = [noise(40 + i, 60, seed=i) for i in range(16)]
    alone = [session.run("image_only", image=image)["sr"] for image in images]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        at_once = list(pool.map(lambda image: session.run("image_only", image=image)["sr"], images))
    assert all(map(np.array_equal, alone, at_once))


def test_memory_stays(session) -> None:
    """What is kept for a request of 40x40 would be 600 kB; each new size costs kernels, once."""
    random = np.random.default_rng(3)
    sizes = random.integers(1, 41, (30, 2))

    def requests(count: int) -> int:
        for index in range(count):
            session.run("image_only", image=noise(*sizes[index % len(sizes)]))
        return psutil.Process().memory_info().rss

    before = requests(150)
    assert requests(500) - before < 60e6


_ALONE = """
import sys, resource
from pathlib import Path
import numpy as np
from benchmarks.serving.bare_session import BareSession, ServingError
resource.setrlimit(resource.RLIMIT_AS, (12_000_000_000,) * 2)
resource.setrlimit(resource.RLIMIT_DATA, (3_000_000_000,) * 2)
session = BareSession(Path(sys.argv[1]))
for rank in range(7):
    for size in (1, 3, 5):
        image = np.zeros((size,) * (rank - 1) + (3,) * bool(rank), np.uint8)
        try:
            session.run("serving_default", image=image)
        except ServingError as error:
            assert error.code == 3, error
# The generators would take 10 kB a pixel.
for image in (np.zeros((1, 5000, 6000, 3), np.uint8), np.zeros((40, 700, 700, 3), np.uint8)):
    try:
        session.run("serving_default", image=image)
        raise SystemExit("an image of 30 megapixels was taken")
    except ServingError as error:
        assert error.code == 3 and "takes 20000 a request" in error.words, error
assert session.run("image_only", image=np.zeros((1, 125, 160, 3), np.uint8))["sr"].shape[1] == 500
print("lives")
"""


def test_a_process_of_3_gb_survives_every_rank_and_size(exported, subprocess_environment) -> None:
    command = [sys.executable, "-c", _ALONE, str(exported / "1")]
    environment = {**subprocess_environment, "TF_ENABLE_ONEDNN_OPTS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "lives", done.stderr[-2000:]


def test_fuzz(session) -> None:
    """2000 requests: every answer is a picture or INVALID_ARGUMENT."""
    random = np.random.default_rng(11)
    good = encoded(noise(6, 7)[0], "PNG"), encoded(noise(6, 7)[0], "JPEG")
    dtypes: Any = (np.uint8,) * 6 + (np.float32, np.int32, np.int64, np.bool_, np.float64)
    answered = 0
    for _ in range(2000):
        try:
            if random.random() < 0.4:
                content = bytearray(good[random.integers(2)])
                for _ in range(random.integers(0, 4)):
                    content[random.integers(len(content))] = random.integers(256)
                content = bytes(content[: random.integers(1, 2 * len(content))])
                result = session.run("bytes", image_bytes=texts(content))["sr_bytes"]
                assert Image.open(io.BytesIO(result[0])).size[0] % 4 == 0
            else:
                shape = random.integers(0, 7, random.integers(0, 7))
                if random.random() < 0.6:
                    shape = (*random.integers(0, 9, 3), random.choice([3, 3, 3, 1, 4]))
                dtype = random.choice(dtypes)
                name = random.choice(["serving_default", "components", "unrounded"])
                xi = random.choice([0, 0.4, 1, 1, 2, np.nan, -1])
                count = random.choice([0, 1, 1, 1, 2])
                image = random.integers(0, 2, shape).astype(dtype)
                result = session.run(str(name), image=image, xi=numbers(*[xi] * count))
                assert next(iter(result.values())).size
            answered += 1
        except ServingError as error:
            assert error.code == INVALID_ARGUMENT, error
    assert answered > 200

"""What the page shows of a photo is what the upscaler gives, and no generator runs for it."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from bigans import Tiling, Upscaler
from bigans.demo.choice import Choice
from bigans.demo.curve import XIS, curve_of, mean_gradient
from bigans.demo.curve_drawing import curve_svg
from bigans.demo.files import take, write
from bigans.demo.kept_photo import KeptPhoto, require_fused
from bigans.demo.scores import scores
from bigans.demo.sessions import Sessions
from bigans.demo.thresholds import Thresholds
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.made_by import read_record
from fusion import numpy_merge
from sr_images.bicubic import bicubic_downscale, bicubic_upscale
from sr_images.fidelity import psnr
from sr_images.luma import rgb_to_y
from sr_images.picture import Attributes, Picture
from sr_images.pictures_in import read_picture
from sr_images.pictures_out import write_picture
from sr_program.errors import DataError, UsageError
from sr_program.model_facts import ModelFacts
from tests.test_bigans.upscaler.numpy_model import NumpyModel
from tests.test_bigans.upscaler.test_managed_colours import profile

CHOICES = [Choice(xi=xi) for xi in (0, 0.31, 0.5, 0.73, 0.7312, 1)]
CHOICES += [Choice(levels=levels) for levels in (0, 3, 8, 255)]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(11).integers(0, 256, shape, np.uint8)


def kept_of(picture: Picture, model: Any = None, **more: Any) -> KeptPhoto:
    upscaler = Upscaler.of_model(model or NumpyModel(), tiling=Tiling(float("inf"), overlap=0))
    return KeptPhoto("photo.png", picture, upscaler, lambda done: None, **more)


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_the_shown_result_is_that_of_the_upscaler(choice: Choice) -> None:
    model, pixels = NumpyModel(), noise(20, 31, 3)
    kept = kept_of(Picture(pixels), model)
    runs = len(model.served)
    shown = kept.shown("result", choice)
    written = kept.result(choice).pixels
    assert len(model.served) == runs == 1
    numbers: Any = {"xi": choice.xi} if choice.levels is None else {"max_deviation": choice.levels}
    expected = Upscaler.of_model(NumpyModel())(pixels, **numbers)
    np.testing.assert_array_equal(shown[..., :3], expected)
    np.testing.assert_array_equal(written, expected)
    assert (shown[..., 3] == 255).all()
    np.testing.assert_array_equal(kept.shown("result", choice, 3), shown[::3, ::3])


@pytest.mark.parametrize("threshold", ["joint", "per_channel", "luma"])
@pytest.mark.parametrize("xi", [0.0, 0.2, 1.0])
def test_every_kind_of_merge(threshold: Any, xi: float) -> None:
    model = NumpyModel()
    model.facts = ModelFacts(scale=4, radius=0, threshold=threshold)
    kept = kept_of(Picture(noise(9, 8, 3)), model)
    expected = numpy_merge.fuse(kept.faithful, kept.vivid, xi, threshold=threshold)
    np.testing.assert_array_equal(kept.shown("result", Choice(xi=xi))[..., :3], expected)


def test_thresholds_are_numpys_quantiles() -> None:
    values = np.abs(np.random.default_rng(2).normal(0, 9, (997, 3))).astype(np.float32)
    found = Thresholds(lambda: values)
    for xi in (0.001, 0.25, 0.73, 0.999, 0.12345):
        expected = np.quantile(values.astype(np.float64), np.float32(xi), axis=0)
        np.testing.assert_allclose(found(xi), expected, rtol=1e-6)
    assert (found(0) == 0).all()
    np.testing.assert_array_equal(found(1), values.max(axis=0))
    assert found.xi_of(float(found(0.4).mean()) + 1e-4) == 0.4
    assert found.xi_of(1e9) == 1


def test_a_gray_photo_of_16_bits_with_transparency() -> None:
    pixels = noise(12, 10, 1).astype(np.uint16) * np.uint16(257)
    alpha = np.full((12, 10), 65535, np.uint16)
    alpha[:6] = 0
    kept = kept_of(Picture(pixels, alpha))
    shown = kept.shown("result", Choice(xi=0.4))
    assert (shown[..., 0] == shown[..., 1]).all() and (shown[..., 1] == shown[..., 2]).all()
    assert shown[0, 0, 3] == 0 and shown[-1, -1, 3] == 255
    result = kept.result(Choice(xi=0.4))
    assert result.pixels.dtype == np.uint16 and result.pixels.shape == (48, 40, 1)
    steps = np.abs(result.pixels[30:, :, 0] / 257 - shown[30:, :, 0])
    assert steps.max() <= 1  # merged, weighed and rounded in another order


def test_layers() -> None:
    pixels = noise(8, 8, 3)
    kept = kept_of(Picture(pixels))
    np.testing.assert_array_equal(kept.shown("bicubic", Choice())[..., :3], bicubic_upscale(pixels))
    np.testing.assert_array_equal(
        kept.shown("faithful", Choice())[..., :3], kept.shown("result", Choice(xi=0))[..., :3]
    )
    np.testing.assert_array_equal(
        kept.shown("vivid", Choice())[..., :3], kept.shown("result", Choice(xi=1))[..., :3]
    )
    heat = kept.shown("difference", Choice())[..., :3].astype(int).sum(axis=2)
    assert kept.difference.flat[heat.argmax()] >= np.quantile(kept.difference, 0.9)
    assert kept.difference.flat[heat.argmin()] <= np.quantile(kept.difference, 0.1)
    with pytest.raises(DataError, match="no original"):
        kept.shown("original", Choice())


@pytest.mark.parametrize("layer", ["result", "settled", "bicubic", "faithful", "vivid"])
def test_colours_of_a_profile_are_shown_as_srgb(layer: Any) -> None:
    """Within two levels of what LittleCMS makes of them by Pillow."""
    icc = profile("Display P3")
    kept = kept_of(Picture(noise(12, 9, 3) // 2 + 60, attributes=Attributes(icc=icc)))
    plain = kept_of(Picture(noise(12, 9, 3) // 2 + 60))
    for one in (kept, plain):
        one.result(Choice())
    raw = plain.shown(layer, Choice())[..., :3]
    wide = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    expected = ImageCms.profileToProfile(Image.fromarray(raw), wide, ImageCms.createProfile("sRGB"))
    shown = kept.shown(layer, Choice())[..., :3].astype(int)
    assert np.abs(shown - np.asarray(expected)).max() <= 2
    assert np.abs(shown - raw).max() > 8  # the profile matters
    heat = kept.shown("difference", Choice()), plain.shown("difference", Choice())
    np.testing.assert_array_equal(*heat)


def test_a_profile_that_cannot_be_used_changes_nothing() -> None:
    kept = kept_of(Picture(noise(8, 8, 3), attributes=Attributes(icc=b"no profile at all" * 10)))
    plain = kept_of(Picture(noise(8, 8, 3)))
    np.testing.assert_array_equal(kept.shown("vivid", Choice()), plain.shown("vivid", Choice()))


def test_a_consistent_result_gives_the_photo_back() -> None:
    smooth = np.kron(noise(4, 4, 3) // 2 + 60, np.ones((6, 6, 1))).astype(np.uint8)
    kept = kept_of(Picture(smooth))
    plain, consistent = (
        bicubic_downscale(np.asarray(kept.result(Choice(xi=1, consistent=flag)).pixels, np.uint8))
        for flag in (False, True)
    )
    assert np.abs(consistent.astype(int) - smooth).max() <= 1
    assert np.abs(plain.astype(int) - smooth).max() > 1


def test_large_photos_tell_progress_and_are_equal() -> None:
    told: list[float] = []
    pixels, model = noise(500, 430, 3), NumpyModel()
    upscaler = Upscaler.of_model(model, tiling=Tiling(float("inf"), overlap=0))
    kept = KeptPhoto("large.png", Picture(pixels), upscaler, told.append)
    assert len(told) > 1 and told[-1] == 1 and told == sorted(told)
    assert len(model.served) == len(told)
    np.testing.assert_array_equal(
        kept.shown("result", Choice(xi=0.6))[..., :3],
        Upscaler.of_model(NumpyModel())(pixels, xi=0.6),
    )


def test_an_original_has_four_times_the_size() -> None:
    with pytest.raises(DataError, match=r"30x20 pixels; for photo.png it must have 32x32"):
        kept_of(Picture(noise(8, 8, 3)), original=Picture(noise(20, 30, 3)))


def test_scores_with_an_original() -> None:
    original = noise(64, 72, 3)
    kept = kept_of(Picture(bicubic_downscale(original)), original=Picture(original))
    choice = Choice(xi=0.5)
    found = {score.name: score.value for score in scores(kept, choice, None)}
    result = np.asarray(kept.result(choice).pixels, np.uint8)
    expected = psnr(rgb_to_y(original), rgb_to_y(result), data_range=255, border=4)
    assert found["PSNR"] == f"{expected:.2f} dB"
    consistency = psnr(bicubic_downscale(original), bicubic_downscale(result), data_range=255)
    assert found["Consistency"] == f"{consistency:.2f} dB"
    assert set(found) == {"PSNR", "SSIM", "Consistency"}


def test_scores_of_a_tiny_photo_say_so() -> None:
    kept = kept_of(Picture(noise(3, 3, 3)), original=Picture(noise(12, 12, 3)))
    found = {score.name: score.value for score in scores(kept, Choice(), None)}
    assert found["SSIM"] == "too small or too flat to tell"


def test_the_curve_begins_at_the_faithful_image() -> None:
    kept = kept_of(Picture(noise(40, 40, 3)))
    curve = curve_of(kept, None)
    assert [place.xi for place in curve.places] == list(XIS)
    assert curve.places[0].distortion == 0
    distances = [place.distortion for place in curve.places]
    assert distances == sorted(distances) and distances[-1] > 0
    between = curve.at(0.25)
    assert curve.places[2].distortion <= between.distortion <= curve.places[3].distortion
    drawing = curve_svg(curve, 0.25)
    assert drawing.count('class="bg-dot"') == 11 and drawing.count('class="bg-now"') == 1
    assert 'role="img"' in drawing and "Now ξ = 0.25" in drawing


def test_the_mean_gradient_of_a_ramp() -> None:
    rows, columns = np.mgrid[:9, :9]
    assert mean_gradient((3 * rows + 4 * columns).astype(np.uint8)) == pytest.approx(5)


def test_a_written_result_tells_what_made_it(tmp_path: Path) -> None:
    photo = tmp_path / "cat.png"
    write_picture(photo, Picture(noise(6, 7, 3)))
    taken = take(photo, 1000)
    kept = kept_of(taken.picture)
    choice = Choice(levels=5)
    for name in ("png", "webp"):
        path = write(kept, choice, name, tmp_path, {"model": "abc", "source": taken.source})
        record = read_record(path)
        assert record is not None
        assert record["max_deviation"] == "5" and record["model"] == "abc"
        assert record["source"] == taken.source and record["Software"].startswith("bi-gans-st")
        np.testing.assert_array_equal(read_picture(path).pixels, kept.result(choice).pixels)
    assert path.name == "photo_x4_max5.webp"


def test_a_photo_that_is_reduced_first_has_its_original(tmp_path: Path) -> None:
    photo, pixels = tmp_path / "cat.png", noise(27, 34, 3)
    write_picture(photo, Picture(pixels))
    taken = take(photo, 1000, reduce=True)
    assert taken.original is not None
    np.testing.assert_array_equal(taken.original.pixels, pixels[:24, :32])
    np.testing.assert_array_equal(taken.picture.pixels, bicubic_downscale(pixels[:24, :32]))


def test_photos_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    photo = tmp_path / "cat.png"
    write_picture(photo, Picture(noise(27, 34, 3)))
    with pytest.raises(DataError, match=r"cat.png: has 34x27 pixels.*max_pixels=900"):
        take(photo, 900)
    (tmp_path / "notes.png").write_text("no picture")
    with pytest.raises(DataError, match=r"notes.png: is not an image"):
        take(tmp_path / "notes.png", 900)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"xi": 1.5}, "xi must lie in"),
        ({"xi": float("nan")}, "xi must lie in"),
        ({"levels": -1}, "grey levels must lie in"),
        ({"levels": 4, "consistent": True}, "choose one of the two"),
    ],
)
def test_choices_that_cannot_be(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Choice(**arguments)


def test_choices_are_those_of_the_upscaler() -> None:
    assert Choice(xi=0.2, consistent=True).enlarging() == Enlarging(xi=0.2, consistent=True)
    assert Choice(levels=7).enlarging() == Enlarging(max_deviation=7)


def test_sessions_do_not_see_each_other_and_are_freed() -> None:
    sessions = Sessions(10**9)
    first, second = kept_of(Picture(noise(4, 4, 3))), kept_of(Picture(noise(4, 5, 3)))
    one, other = sessions.add("a", first), sessions.add("b", second)
    assert sessions.photo(one, "a") is first and sessions.photo(other, "b") is second
    assert sessions.of("a") == {one: "photo.png"}
    with pytest.raises(DataError, match="drop it again"):
        sessions.photo(one, "b")
    sessions.close("a")
    with pytest.raises(DataError, match="drop it again"):
        sessions.photo(one, "a")
    assert sessions.photo(other, "b") is second and list(sessions) == ["b"]
    with pytest.raises(DataError, match="drop it again"):
        sessions.add("a", first)  # made while the person left


def test_the_oldest_photo_makes_room() -> None:
    photos = [kept_of(Picture(noise(8, 8, 3))) for _ in range(3)]
    sessions = Sessions(2 * photos[0].num_bytes)
    tokens = [sessions.add("a", kept) for kept in photos]
    assert list(sessions.of("a")) == tokens[1:]


def test_a_model_without_a_knob_is_refused() -> None:
    model: Any = NumpyModel()
    require_fused(model, "toy")
    model.inputs = frozenset({"image"})
    with pytest.raises(DataError, match="no knob"):
        require_fused(model, "toy")

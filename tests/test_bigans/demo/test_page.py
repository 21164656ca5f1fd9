"""The page in a real browser, as people use it."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigans import Tiling, Upscaler
from bigans.upscaler.made_by import read_record
from sr_images.bicubic import bicubic_downscale, bicubic_upscale
from sr_images.picture import Picture
from sr_images.pictures_in import read_picture
from sr_images.pictures_out import write_picture
from tests.test_bigans.demo.conftest import RunningPage, Visitor, run_page
from tests.test_bigans.upscaler.numpy_model import NumpyModel

Visit = Callable[..., Visitor]


def drawn(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Waves of colour under a little noise."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(columns / 9 + seed), np.sin(rows / 13), np.sin((rows + columns) / 21)]
    values = 128 + 90 * np.stack(waves, axis=-1) + random.normal(0, 8, (height, width, 3))
    return np.clip(values, 0, 255).astype(np.uint8)


def photo(folder: Path, name: str = "photo.png", size: tuple[int, int] = (48, 64)) -> Path:
    write_picture(folder / name, Picture(drawn(*size, seed=len(name))))
    return folder / name


def pixels_of(path: Path) -> np.ndarray:
    return np.asarray(read_picture(path).pixels)


def enlarged(pixels: np.ndarray, **numbers: Any) -> np.ndarray:
    return np.asarray(Upscaler.of_model(NumpyModel())(pixels, **numbers))


def test_drop_slide_bound_and_download(
    visit: Visit, running_page: RunningPage, tmp_path: Path
) -> None:
    path = photo(tmp_path)
    pixels, visitor = pixels_of(path), visit()
    runs = len(running_page.model.served)
    with visitor.measured(), visitor.merged():
        visitor.drop(path)
    assert len(running_page.model.served) == runs + 1
    np.testing.assert_array_equal(visitor.pixels("right"), enlarged(pixels, xi=0.73))
    np.testing.assert_array_equal(visitor.pixels("left"), bicubic_upscale(pixels))
    visitor.page.wait_for_selector("#bg-curve svg .bg-now")

    # the knob, by the keyboard
    visitor.page.focus("#bg-xi input[type=range]")
    for _ in range(3):
        with visitor.merged():
            visitor.page.keyboard.press("ArrowLeft")
    np.testing.assert_array_equal(visitor.pixels("right"), enlarged(pixels, xi=0.7))
    assert "ξ = 0.70" in visitor.text(".bg-told")
    visitor.page.wait_for_function(
        "document.querySelector('#bg-scores caption')?.textContent.includes('ξ = 0.70')"
    )

    # at most d grey levels
    with visitor.measured(), visitor.merged():
        visitor.page.check("#bg-mode input[value=levels]")
    with visitor.measured(), visitor.merged():
        visitor.set_slider("levels", 5)
    result = visitor.pixels("right")
    np.testing.assert_array_equal(result, enlarged(pixels, max_deviation=5))
    assert np.abs(result.astype(int) - enlarged(pixels, xi=0)).max() == 5
    assert "by more than 5 grey levels of 255" in visitor.text("#bg-promise")
    assert visitor.page.is_disabled("#bg-consistent input")

    # the download says what made it
    with visitor.page.expect_download() as waiting:
        visitor.page.click("#bg-make")
    assert waiting.value.suggested_filename == "photo_x4_max5.png"
    saved = tmp_path / "saved.png"
    waiting.value.save_as(saved)
    np.testing.assert_array_equal(pixels_of(saved), result)
    record = read_record(saved)
    assert record is not None and record["max_deviation"] == "5" and record["model"] == "toy"
    assert len(running_page.model.served) == runs + 1, "a generator ran again"
    assert visitor.outside == []


def touch(tools: Any, kind: str, places: list[tuple[float, float]], box: Any) -> None:
    """Fingers on the picture, as Chromium's own tools set them down; places are shares of it."""
    points = [
        {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": number}
        for number, (x, y) in enumerate(places)
    ]
    tools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_swipe_zoom_and_heat_map(visit: Visit, tmp_path: Path) -> None:
    visitor = visit()
    page = visitor.page
    with visitor.merged():
        visitor.drop(photo(tmp_path))
    page.focus(".bg-swipe-input")
    page.keyboard.press("Home")
    assert page.evaluate(
        "document.querySelector('.bg-stage').style.getPropertyValue('--swipe')"
    ) == ("0%")
    box = page.locator(".bg-stage").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], middle)
    page.mouse.up()
    assert page.input_value(".bg-swipe-input") == "75"
    assert page.get_attribute(".bg-swipe-input", "aria-valuetext") == "75 % of the left picture"

    def zoom() -> float:
        return float(page.get_attribute("[data-zoom]", "data-zoom"))

    assert zoom() == 1
    page.click(".bg-in")
    assert zoom() == 1.5
    page.focus(".bg-stage")
    page.keyboard.press("+")
    assert zoom() == 2.25
    before = page.evaluate("document.querySelector('.bg-right').style.transform")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.querySelector('.bg-right').style.transform") != before
    page.click(".bg-fit")
    assert zoom() == 1

    tools = page.context.new_cdp_session(page)
    touch(tools, "touchStart", [(0.4, 0.5)], box)
    touch(tools, "touchStart", [(0.4, 0.5), (0.6, 0.5)], box)
    for apart in (0.3, 0.4):
        places = [(0.5 - apart / 2, 0.5), (0.5 + apart / 2, 0.5)]
        touch(tools, "touchMove", places, box)
    touch(tools, "touchEnd", [], box)
    assert zoom() == pytest.approx(2, rel=0.02)
    assert page.input_value(".bg-swipe-input") == "40"  # where the first finger was put
    page.click(".bg-fit")
    assert zoom() == 1

    with visitor.merged():
        page.select_option(".bg-pick-right", "difference")
    heat = visitor.pixels("right").astype(int).sum(axis=2)
    assert page.is_visible(".bg-legend") and "grey levels and more" in visitor.text(".bg-legend")
    difference = np.abs(
        enlarged(pixels_of(tmp_path / "photo.png"), xi=1).astype(int)
        - enlarged(pixels_of(tmp_path / "photo.png"), xi=0)
    ).mean(axis=2)
    assert np.corrcoef(heat.flat, difference.flat)[0, 1] > 0.9


def test_a_consistent_result(visit: Visit, running_page: RunningPage, tmp_path: Path) -> None:
    path, visitor = photo(tmp_path), visit()
    with visitor.measured(), visitor.merged():
        visitor.drop(path)
    runs = len(running_page.model.served)
    visitor.page.check("#bg-consistent input")
    plain = enlarged(pixels_of(path), xi=0.73)
    end = time.monotonic() + 20
    while np.array_equal(shown := visitor.pixels("right"), plain) and time.monotonic() < end:
        time.sleep(0.1)
    reduced = bicubic_downscale(shown).astype(int)
    assert np.abs(reduced - pixels_of(path)).max() <= 1
    assert np.abs(bicubic_downscale(plain).astype(int) - pixels_of(path)).max() > 1
    assert "gives the photo back" in visitor.text("#bg-promise")
    assert len(running_page.model.served) == runs


def test_bad_files_are_told_and_the_others_are_done(visit: Visit, tmp_path: Path) -> None:
    visitor = visit()
    (tmp_path / "notes.png").write_text("<b>no picture</b>")
    (tmp_path / "cut.png").write_bytes(photo(tmp_path).read_bytes()[:900])
    large = photo(tmp_path, "large.png", (300, 300))
    good = photo(tmp_path, "good.png")
    with visitor.merged():
        visitor.drop(tmp_path / "notes.png", tmp_path / "cut.png", large, good)
    alerts = visitor.page.locator("#bg-status [role=alert]").all_inner_texts()
    assert [alert.split(":")[0] for alert in alerts] == ["notes.png", "cut.png", "large.png"]
    assert "is not an image" in alerts[0] and "max_pixels=70000" in alerts[2]
    np.testing.assert_array_equal(visitor.pixels("left"), bicubic_upscale(pixels_of(good)))


def test_a_huge_file_is_refused(visit: Visit, running_page: RunningPage, tmp_path: Path) -> None:
    visitor = visit()
    (tmp_path / "huge.png").write_bytes(bytes(500_000))
    runs = len(running_page.model.served)
    visitor.drop(tmp_path / "huge.png")
    visitor.page.wait_for_selector("text=/exceeds|too large|maximum/i")
    assert len(running_page.model.served) == runs
    # and the page goes on
    with visitor.merged():
        visitor.drop(photo(tmp_path))


def test_without_a_photo_a_download_says_so(visit: Visit) -> None:
    visitor = visit()
    visitor.page.click("#bg-make")
    visitor.page.wait_for_selector("text=There is no photo yet")


def test_two_people_do_not_see_each_other_and_leave_nothing(
    visit: Visit, running_page: RunningPage, tmp_path: Path
) -> None:
    sessions = running_page.work.sessions
    _until(lambda: len(sessions) == 0)
    one, other = visit(), visit()
    first, second = photo(tmp_path, "first.png"), photo(tmp_path, "second.png", (40, 40))
    with one.merged():
        one.drop(first)
    with other.merged():
        other.drop(second)
    with one.merged():
        one.set_slider("xi", 0.2)
    np.testing.assert_array_equal(one.pixels("right"), enlarged(pixels_of(first), xi=0.2))
    np.testing.assert_array_equal(other.pixels("right"), enlarged(pixels_of(second), xi=0.73))
    assert len(sessions) == 2 and len(list(sessions)) == 2
    answer = one.page.request.get(running_page.url + "layers/guessed/result")
    assert answer.status == 404 and "drop it again" in answer.text()
    one.page.context.close()
    _until(lambda: len(sessions) == 1)
    with other.merged():
        other.set_slider("xi", 0.5)
    np.testing.assert_array_equal(other.pixels("right"), enlarged(pixels_of(second), xi=0.5))
    other.page.context.close()
    _until(lambda: len(sessions) == 0)
    left = [path for path in running_page.work.settings.folder.rglob("*.png")]
    assert left == []


def test_several_photos_and_originals(visit: Visit, tmp_path: Path) -> None:
    visitor = visit()
    page = visitor.page
    paths = [photo(tmp_path, "one.png"), photo(tmp_path, "four.png", (40, 60))]
    with visitor.merged():
        visitor.drop(*paths)
    np.testing.assert_array_equal(visitor.pixels("left"), bicubic_upscale(pixels_of(paths[0])))
    with visitor.merged(of="four.png"):
        page.click("#bg-chooser label:has-text('four.png')")
    np.testing.assert_array_equal(visitor.pixels("left"), bicubic_upscale(pixels_of(paths[1])))

    page.click("text=Compare with the original")
    page.set_input_files("#bg-original input[type=file]", str(paths[0]))
    alert = page.wait_for_selector("#bg-status [role=alert]").inner_text()
    assert "the original has 64x48 pixels" in alert and "must have 240x160" in alert
    with visitor.measured(), visitor.merged():
        page.set_input_files(
            "#bg-original input[type=file]", str(photo(tmp_path, "original.png", (160, 240)))
        )
        visitor.set_slider("xi", 0.4)
    assert "PSNR" in visitor.text("#bg-scores") and "SSIM" in visitor.text("#bg-scores")

    page.check("#bg-reduce input")
    with visitor.measured(of="itself.png"), visitor.merged(of="itself.png"):
        visitor.drop(photo(tmp_path, "itself.png", (96, 128)))
    assert "PSNR" in visitor.text("#bg-scores")
    small = bicubic_downscale(pixels_of(tmp_path / "itself.png"))
    np.testing.assert_array_equal(visitor.pixels("left"), bicubic_upscale(small))
    page.select_option(".bg-pick-left", "original")
    _until(
        lambda: np.array_equal(visitor.pixels("left"), pixels_of(tmp_path / "itself.png")),
    )


def test_programs_use_the_endpoint(running_page: RunningPage, tmp_path: Path) -> None:
    gradio_client = pytest.importorskip("gradio_client")
    client = gradio_client.Client(running_page.url, verbose=False, download_files=str(tmp_path))
    path = photo(tmp_path)
    given: Any = gradio_client.handle_file(str(path))
    result = Path(client.predict(given, 0.3, -1, False, "png", api_name="/enlarge"))
    np.testing.assert_array_equal(pixels_of(result), enlarged(pixels_of(path), xi=0.3))
    bounded = Path(client.predict(photo=given, max_deviation=4, format="webp", api_name="/enlarge"))
    expected = enlarged(pixels_of(path), max_deviation=4)
    np.testing.assert_array_equal(pixels_of(bounded), expected)
    with pytest.raises(Exception, match="xi must lie in"):
        client.predict(given, 7, api_name="/enlarge")
    names = client.view_api(return_format="dict")["named_endpoints"]
    assert list(names) == ["/enlarge"]
    assert [*running_page.work.settings.folder.rglob("photo.png")] == [], "uploads are left"


def test_programs_cannot_read_files_of_the_machine(
    running_page: RunningPage, tmp_path: Path
) -> None:
    secret = {"path": str(photo(tmp_path)), "meta": {"_type": "gradio.FileData"}}
    content = json.dumps({"data": [secret, 0.3, -1, False, "png", "toy"]}).encode()
    address = running_page.url + "gradio_api/call/enlarge"
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address, content, headers)) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{address}/{event}", timeout=60) as answer:
        told = answer.read().decode()
    assert "event: error" in told and "event: complete" not in told


def test_another_name_for_this_machine_is_refused(running_page: RunningPage) -> None:
    request = urllib.request.Request(running_page.url, headers={"Host": "elsewhere.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    assert refused.value.code == 400


# Text whose colour is less than 4.5 to 1 (large text 3 to 1) from what lies behind it.
FAINT = """() => {
  const parse = (text) => { const found = text.match(/[\\d.]+/g).map(Number);
    return { rgb: found.slice(0, 3), alpha: found.length > 3 ? found[3] : 1 }; };
  const light = (rgb) => { const [r, g, b] = rgb.map((v) => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const faint = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    if (!text || !box.width || style.visibility === "hidden") continue;
    if (element.closest("svg, script, style, [aria-hidden=true]")) continue;
    let behind = element, colour = { alpha: 0 };
    while (behind && colour.alpha < 0.5) {
      colour = parse(getComputedStyle(behind).backgroundColor); behind = behind.parentElement; }
    const back = colour.alpha < 0.5 ? [255, 255, 255] : colour.rgb;
    const pair = [light(parse(style.color).rgb), light(back)].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05), size = parseFloat(style.fontSize);
    if (ratio < (size >= 24 ? 3 : 4.5)) faint.push(text.slice(0, 30) + " " + ratio.toFixed(2));
  }
  return faint; }"""

CONTROLS = "button|slider|textbox|checkbox|radio|combobox|spinbutton|img|group|link"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_everybody_can_read_and_reach_it(
    visit: Visit, tmp_path: Path, width: int, scheme: str
) -> None:
    visitor = visit(width, color_scheme=scheme)
    page = visitor.page
    with visitor.measured(), visitor.merged():
        visitor.drop(photo(tmp_path), photo(tmp_path, "b.png"))
    page.wait_for_selector("#bg-curve svg")
    page.wait_for_timeout(300)  # names are given a moment after a part appears
    tree = page.locator("body").aria_snapshot()
    nameless = re.findall(rf"^\s*- (?:{CONTROLS})(?: \[[^\]]*\])*:?$", tree, re.MULTILINE)
    assert nameless == [], tree
    for name in ('heading "Bi-GANs-ST"', 'slider "Swipe', "Perception-distortion curve"):
        assert name in tree
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate(FAINT) == []
    # nothing is wider than the window
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


class OtherModel(NumpyModel):
    """Its vivid image is brighter."""

    identity = "other"

    def _generators(self, image: Any) -> Any:
        faithful, vivid = super()._generators(image)
        return faithful, np.clip(vivid + 20, 0, 255)


def test_weights_are_chosen_for_what_is_dropped_next(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradio_client = pytest.importorskip("gradio_client")
    # Gradio has one folder for uploads in a process: afterwards it is the other page's again.
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "page"))
    from bigans.demo.settings import Weights

    tiling = Tiling(float("inf"), overlap=0)
    models = {"photo": NumpyModel(), "clean": OtherModel()}
    upscalers = {name: Upscaler.of_model(model, tiling=tiling) for name, model in models.items()}
    loaded: list[str] = []

    def load(name: str) -> Upscaler:
        loaded.append(name)
        return upscalers[name]

    weights = tuple(Weights(name, partial(load, name), {"model": name}) for name in models)
    file = photo(tmp_path)
    pixels = pixels_of(file)
    with run_page(upscalers["photo"], tmp_path / "page", weights=weights) as running:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        visitor = Visitor(context.new_page(), running)
        with visitor.merged():
            visitor.drop(file)
        np.testing.assert_array_equal(visitor.pixels("right"), upscalers["photo"](pixels, xi=0.73))
        assert loaded == ["photo"]
        visitor.page.check("#bg-weights input[value=clean]")
        with visitor.merged():
            visitor.drop(file)
        np.testing.assert_array_equal(visitor.pixels("right"), upscalers["clean"](pixels, xi=0.73))
        told = visitor.text("#bg-chooser")
        assert "photo.png (photo)" in told and "photo.png (clean)" in told
        context.close()

        client = gradio_client.Client(running.url, verbose=False, download_files=str(tmp_path))
        given: Any = gradio_client.handle_file(str(file))
        made = client.predict(photo=given, xi=1.0, weights="clean", api_name="/enlarge")
        np.testing.assert_array_equal(pixels_of(Path(made)), upscalers["clean"](pixels, xi=1))
        record = read_record(Path(made))
        assert record is not None and record["model"] == "clean"
    assert loaded == ["photo", "clean"]

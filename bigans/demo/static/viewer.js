// The picture of the page: two layers with a swipe line between them, zoom, and the live knob.
// Layers come as raw RGBA from /layers/TOKEN/NAME; the knob asks for the newest choice alone.

const SETTLE_MS = 350; // after the last move, the page measures the result
const AT_ONCE = 1.5e6; // pixels that are merged while the knob moves; of more, every n-th

const find = (name) => element.querySelector("." + name);
const stage = find("bg-stage"), swipe = find("bg-swipe-input"), told = find("bg-told");
const canvases = { left: find("bg-left"), right: find("bg-right") };
const picks = { left: find("bg-pick-left"), right: find("bg-pick-right") };

let photo = null; // what Python says of it: token, name, width, height, hasOriginal, heat
let choice = { xi: 0.73, levels: null, consistent: false };
let view = { zoom: 1, x: 0, y: 0 }; // zoom 1 fits the stage; x, y in pixels of the stage
let busy = false, waiting = null, settling = 0, merges = 0;

const words = () => choice.levels === null
  ? "ξ = " + choice.xi.toFixed(2) : "at most " + choice.levels + " grey levels";
const named = (layer) => ({ result: words(), difference: "|vivid − faithful|" })[layer] || layer;

async function draw(side, step) {
  const layer = picks[side].value, token = photo.token, began = performance.now();
  const knob = choice.levels === null ? "xi=" + choice.xi : "levels=" + choice.levels;
  const isSettled = layer === "result" && choice.consistent && photo.settled === choice.xi;
  const name = isSettled ? "settled" : layer;
  const query = "?" + knob + "&step=" + step + (choice.consistent ? "&consistent=true" : "");
  const answer = await fetch("layers/" + token + "/" + name + query);
  if (!answer.ok) throw new Error((await answer.json()).detail || "the page's server failed");
  const [width, height] = answer.headers.get("X-Size").split(",").map(Number);
  const pixels = new Uint8ClampedArray(await answer.arrayBuffer());
  if (!photo || photo.token !== token) return null;
  const canvas = canvases[side], image = new ImageData(pixels, width, height);
  canvas.width = photo.width;
  canvas.height = photo.height;
  const context = canvas.getContext("2d");
  if (step === 1) context.putImageData(image, 0, 0);
  else context.drawImage(await createImageBitmap(image), 0, 0, photo.width, photo.height);
  canvas.setAttribute("aria-label", photo.name + ", " + named(layer) + ", " + photo.width + " by "
    + photo.height + " pixels");
  find("bg-tag-" + side).textContent = named(layer);
  return { ms: performance.now() - began, threshold: answer.headers.get("X-Threshold") };
}

function fail(error) {
  told.textContent = error.message;
  told.classList.add("bg-failed");
}

// One request at a time; of the choices that come meanwhile the last counts.
async function merge(step) {
  if (!photo) return;
  if (busy) { waiting = step; return; }
  busy = true;
  try {
    const drawn = await draw("right", step);
    if (drawn) {
      told.classList.remove("bg-failed");
      const moves = choice.levels !== null || !drawn.threshold ? "" : ": no value moves by more than "
        + drawn.threshold + " grey levels";
      told.textContent = words() + moves + " (" + Math.round(drawn.ms) + " ms)";
      element.dataset.merges = ++merges;
    }
  } catch (error) { fail(error); }
  busy = false;
  if (waiting !== null) { const next = waiting; waiting = null; merge(next); }
}

function quickStep() {
  return Math.max(1, Math.ceil(Math.sqrt((photo.width * photo.height) / AT_ONCE)));
}

function settle() {
  clearTimeout(settling);
  settling = setTimeout(() => {
    if (photo && quickStep() > 1) merge(1);
    if (photo) trigger("submit", {});
  }, SETTLE_MS);
}

// Called by the page's sliders.
window.bigansChoose = (mode, xi, levels, consistent) => {
  const bounded = mode === "levels";
  const next = { xi, levels: bounded ? levels : null, consistent: consistent && !bounded };
  if (JSON.stringify(next) === JSON.stringify(choice)) return;
  choice = next;
  if (!photo) return;
  if (picks.right.value === "result") merge(quickStep());
  settle();
};

async function show(told_photo) {
  const known = photo && told_photo && photo.token === told_photo.token;
  photo = told_photo && told_photo.token ? told_photo : null;
  element.classList.toggle("bg-has-photo", Boolean(photo));
  if (!photo) return;
  for (const pick of Object.values(picks)) {
    const option = pick.querySelector("[value=original]");
    option.hidden = option.disabled = !photo.hasOriginal;
    if (!photo.hasOriginal && pick.value === "original") pick.selectedIndex = 0;
  }
  find("bg-most").textContent = photo.heat + " grey levels and more";
  if (!known) { view = { zoom: 1, x: 0, y: 0 }; place(); }
  try {
    if (!known || picks.left.value === "original") await draw("left", 1);
  } catch (error) { fail(error); }
  await merge(1);
  place();
  if (!known) settle();
}

// ---- swipe and zoom

function scale() {
  return Math.min(stage.clientWidth / photo.width, stage.clientHeight / photo.height);
}

function place() {
  stage.style.setProperty("--swipe", swipe.value + "%");
  swipe.setAttribute("aria-valuetext", swipe.value + " % of the left picture");
  if (!photo) return;
  stage.style.aspectRatio = photo.width + " / " + photo.height;
  const factor = scale() * view.zoom;
  const room = [stage.clientWidth - photo.width * factor, stage.clientHeight - photo.height * factor];
  const within = (value, space) => space >= 0 ? space / 2 : Math.min(0, Math.max(space, value));
  view.x = within(view.x, room[0]);
  view.y = within(view.y, room[1]);
  for (const canvas of Object.values(canvases)) {
    canvas.style.transform = "translate(" + view.x + "px," + view.y + "px) scale(" + factor + ")";
    canvas.style.imageRendering = factor * window.devicePixelRatio >= 2 ? "pixelated" : "auto";
  }
  element.dataset.zoom = view.zoom.toFixed(3);
}

function zoom(to, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  if (!photo) return;
  const most = Math.max(8, 8 / scale()), next = Math.min(most, Math.max(1, to));
  const ratio = next / view.zoom;
  view = { zoom: next, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio };
  place();
}

find("bg-in").addEventListener("click", () => zoom(view.zoom * 1.5));
find("bg-out").addEventListener("click", () => zoom(view.zoom / 1.5));
find("bg-fit").addEventListener("click", () => zoom(1));
find("bg-one").addEventListener("click", () => photo && zoom(1 / scale() / window.devicePixelRatio));
swipe.addEventListener("input", place);
window.addEventListener("resize", place);

stage.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
  event.preventDefault();
  const box = stage.getBoundingClientRect();
  zoom(view.zoom * Math.exp(-event.deltaY / 200), event.clientX - box.left, event.clientY - box.top);
}, { passive: false });

stage.addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
  if (event.key === "+" || event.key === "=") zoom(view.zoom * 1.5);
  else if (event.key === "-") zoom(view.zoom / 1.5);
  else if (event.key === "0") zoom(1);
  else if (moves[event.key] && view.zoom > 1) {
    view.x += moves[event.key][0];
    view.y += moves[event.key][1];
    place();
  } else return;
  event.preventDefault();
});

// Two fingers zoom and move; one, or the mouse, moves the swipe line or a picture that is zoomed in.
let drag = null, pinch = null;
const fingers = new Map(); // what touches the stage: its pointer → x, y in pixels of the stage

function placeOf(event) {
  const box = stage.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function spread() {
  const [one, two] = [...fingers.values()];
  return {
    x: (one.x + two.x) / 2, y: (one.y + two.y) / 2,
    apart: Math.max(1, Math.hypot(one.x - two.x, one.y - two.y)),
  };
}

stage.addEventListener("pointerdown", (event) => {
  if (!photo) return;
  if (event.pointerType === "touch") fingers.set(event.pointerId, placeOf(event));
  if (fingers.size === 2) {
    drag = null;
    pinch = spread();
    stage.setPointerCapture(event.pointerId);
    return;
  }
  const at = placeOf(event).x;
  const near = Math.abs(at - (swipe.value / 100) * stage.clientWidth) < 24;
  drag = view.zoom > 1 && !near ? { x: event.clientX, y: event.clientY } : "swipe";
  stage.setPointerCapture(event.pointerId);
  if (drag === "swipe") moved(event);
});
stage.addEventListener("pointermove", (event) => {
  if (fingers.has(event.pointerId)) fingers.set(event.pointerId, placeOf(event));
  if (pinch) pinched();
  else if (drag) moved(event);
});
for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => {
  fingers.delete(event.pointerId);
  drag = pinch = null;
});

function pinched() {
  const now = spread();
  zoom(view.zoom * now.apart / pinch.apart, pinch.x, pinch.y);
  view.x += now.x - pinch.x;
  view.y += now.y - pinch.y;
  pinch = now;
  place();
}

function moved(event) {
  if (drag === "swipe") {
    const box = stage.getBoundingClientRect();
    const share = (event.clientX - box.left) / stage.clientWidth;
    swipe.value = Math.round(100 * Math.min(1, Math.max(0, share)));
  } else {
    view.x += event.clientX - drag.x;
    view.y += event.clientY - drag.y;
    drag = { x: event.clientX, y: event.clientY };
  }
  place();
}

for (const side of ["left", "right"]) {
  picks[side].addEventListener("change", () => {
    find("bg-legend").hidden = picks.right.value !== "difference";
    if (photo) (side === "left" ? draw("left", 1).catch(fail) : merge(1));
  });
}

// ---- names for screen readers, where Gradio gives none

function nameAll() {
  for (const group of document.querySelectorAll("fieldset:not([aria-label])")) {
    const title = group.querySelector("[data-testid='block-info'], span");
    if (title) group.setAttribute("aria-label", title.textContent.trim());
  }
  for (const [id, text] of [["bg-drop", "Photos"], ["bg-original", "Original"]]) {
    const button = document.querySelector("#" + id + " button[aria-label^='Click']");
    if (button) button.setAttribute("aria-label", text + ": click to upload, or drop files here");
  }
  for (const icon of document.querySelectorAll("svg:not([role]):not([aria-hidden])")) {
    icon.setAttribute("aria-hidden", "true");
  }
}

let naming = 0;
new MutationObserver(() => {
  clearTimeout(naming);
  naming = setTimeout(nameAll, 100);
}).observe(document.body, { childList: true, subtree: true });
nameAll();

watch("value", () => show(props.value));
place();

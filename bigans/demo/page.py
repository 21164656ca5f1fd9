"""The page itself: its parts, and which of `actions` each of them calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr  # pyright: ignore[reportMissingImports]

from bigans.demo import files
from bigans.demo.actions import NO_PHOTO, Actions, promise
from bigans.demo.choice import DEFAULT_LEVELS, MOST_LEVELS, Choice
from bigans.demo.examples import examples
from bigans.demo.work import Work
from sr_program.contract import DEFAULT_XI

STATIC = Path(__file__).parent / "static"

MODES = [("ξ, a share", "xi"), ("at most d grey levels", "levels")]
_HIDDEN = {"api_visibility": "private"}

# A slider moves: the picture is merged anew, and nothing else is asked of the server.
_CHOOSE = "(mode, xi, levels, consistent) => { window.bigansChoose(mode, xi, levels, consistent); }"
_CLICK = "() => { setTimeout(() => document.querySelector('#bg-file').click(), 200); }"


def build_page(work: Work) -> Any:
    """Makes the page; `server` shows it.

    Returns:
        gradio.Blocks.
    """
    with gr.Blocks(
        title="Bi-GANs-ST: true or pretty", analytics_enabled=False, delete_cache=(600, 3600)
    ) as page:
        gr.HTML(
            '<header class="bg-head"><h1>Bi-GANs-ST</h1><p>Enlarges a photo 4×, with a knob '
            "between <em>true</em> and <em>pretty</em>. Two generators run once; the knob merges "
            "what they have made.</p></header>"
        )
        _Parts(work).lay_out(page)
    return page


class _Parts:
    """The components."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._actions = Actions(work)
        self._weights = [(one.title or one.name, one.name) for one in work.settings.weights]

    def lay_out(self, page: Any) -> None:
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                self._lay_out_input()
            with gr.Column(scale=3, min_width=320):
                self._lay_out_result()
        with gr.Row():
            with gr.Column(min_width=320):
                self.scores = gr.HTML("", elem_id="bg-scores")
            with gr.Column(min_width=320):
                self.curve = gr.HTML("", elem_id="bg-curve")
        self._connect(page)
        self._lay_out_endpoint()

    def _lay_out_input(self) -> None:
        most = self._work.settings.max_pixels
        self.drop = gr.File(
            label=f"Photos, up to {most:,} pixels each",
            file_count="multiple",
            type="filepath",
            height=150,
            elem_id="bg-drop",
        )
        self.weights = gr.Radio(
            self._weights,
            value=self._weights[0][1],
            label="Weights",
            info="Of the photos that are dropped from now on.",
            visible=len(self._weights) > 1,
            elem_id="bg-weights",
        )
        self.reduce = gr.Checkbox(
            label="Reduce by 4 first",
            info="The photo itself is then the original that the result is compared with.",
            elem_id="bg-reduce",
        )
        if shipped := examples():
            gr.HTML('<h2 class="bg-examples">Examples</h2>')
        self.examples = [(gr.Button(one.title, size="sm"), one) for one in shipped]
        self.chooser = gr.Radio([], label="Photo", visible=False, elem_id="bg-chooser")
        self.more = gr.Accordion("Compare with the original", open=False, visible=False)
        with self.more:
            self.original = gr.File(
                label="Original, 4 times as large",
                type="filepath",
                height=150,
                elem_id="bg-original",
            )

    def _lay_out_result(self) -> None:
        self.status = gr.HTML("", elem_id="bg-status", elem_classes="bg-status")
        self.viewer = gr.HTML(
            NO_PHOTO,
            html_template=(STATIC / "viewer.html").read_text(encoding="utf-8"),
            js_on_load=(STATIC / "viewer.js").read_text(encoding="utf-8"),
            elem_id="bg-view",
            min_height=300,
        )
        self.mode = gr.Radio(MODES, value="xi", label="The knob counts in", elem_id="bg-mode")
        self.xi = gr.Slider(
            0, 1, DEFAULT_XI, step=0.01, label="ξ: 0 is faithful, 1 is vivid", elem_id="bg-xi"
        )
        self.levels = gr.Slider(
            0,
            MOST_LEVELS,
            DEFAULT_LEVELS,
            step=1,
            label="d, grey levels",
            visible=False,
            elem_id="bg-levels",
        )
        self.promise = gr.HTML(promise(Choice()), elem_id="bg-promise")
        self.consistent = gr.Checkbox(
            label="Consistent",
            info="The result, reduced again, gives the photo back. This takes seconds.",
            elem_id="bg-consistent",
        )
        with gr.Row():
            self.format = gr.Radio(
                list(files.FORMATS),
                value="png",
                label="Format",
                elem_id="bg-format",
                min_width=300,
                scale=3,
            )
            self.make = gr.Button(
                "Download", variant="primary", elem_id="bg-make", min_width=200, scale=1
            )
        self.file = gr.DownloadButton("file", visible="hidden", elem_id="bg-file")

    def _lay_out_endpoint(self) -> None:
        """For programs: what `enlarge` takes and gives."""
        with gr.Row(visible=False):
            inputs = [
                gr.File(type="filepath", label="photo"),
                gr.Number(DEFAULT_XI, label="xi"),
                gr.Number(-1, precision=0, label="max_deviation"),
                gr.Checkbox(label="consistent"),
                gr.Radio(list(files.FORMATS), value="png", label="format"),
                gr.Radio(self._weights, value=self._weights[0][1], label="weights"),
            ]
            result = gr.File(label="result")
            gr.Button().click(self._actions.enlarge, inputs, result, api_name="enlarge")

    def _connect(self, page: Any) -> None:
        knob = [self.mode, self.xi, self.levels, self.consistent]
        taken = [self.status, self.drop, self.chooser, self.more, self.viewer]
        shown: Any = {"show_progress": "full", "show_progress_on": self.viewer, **_HIDDEN}
        quiet: Any = {"show_progress": "hidden", **_HIDDEN}
        self.drop.upload(self._actions.take, [self.drop, self.weights, self.reduce], taken, **shown)
        for button, example in self.examples:
            button.click(self._actions.taking(example), [self.weights], taken, **shown)
        self.chooser.input(self._actions.show, self.chooser, [self.viewer, self.status], **quiet)
        self.original.upload(
            self._actions.add_original,
            [self.chooser, self.original],
            [self.status, self.original, self.viewer],
            **quiet,
        )
        for part in knob:
            part.change(None, knob, None, js=_CHOOSE, **_HIDDEN)
        self.mode.change(
            lambda mode: (
                gr.update(visible=mode == "xi"),
                gr.update(visible=mode == "levels"),
                gr.update(interactive=mode == "xi"),
            ),
            self.mode,
            [self.xi, self.levels, self.consistent],
            queue=False,
            **quiet,
        )
        self.viewer.submit(
            self._actions.settle,
            [self.chooser, *knob, self.viewer],
            [self.promise, self.scores, self.curve, self.viewer, self.status],
            trigger_mode="always_last",
            concurrency_limit=2,
            **quiet,
        )
        self.make.click(
            self._actions.download, [self.chooser, *knob, self.format], self.file, **quiet
        ).success(None, None, None, js=_CLICK, **_HIDDEN)
        page.unload(self._actions.leave)

"""What happens when a person acts on the page. The work is done in `work`."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr  # pyright: ignore[reportMissingImports]

from bigans.demo import words
from bigans.demo.choice import Choice
from bigans.demo.work import Work
from sr_program.errors import DataError, UsageError

# What the viewer gets when there is nothing to see.
NO_PHOTO = {"token": ""}


class Actions:
    """Functions that the components of the page call; they give the components' new values.

    Example:
        button.click(Actions(work).show, chooser, [viewer, status])
    """

    def __init__(self, work: Work) -> None:
        """Takes what does the work."""
        self._work = work

    def take(
        self,
        paths: list[str],
        weights: str,
        reduce: bool,
        request: gr.Request,
        progress: Any = gr.Progress(),  # noqa: B008
    ) -> tuple[Any, ...]:
        """Photos were dropped: enlarges them; gives status, drop, chooser, more and viewer."""
        session = str(request.session_hash)
        done = self._work.take(
            session,
            [Path(path) for path in paths or []],
            lambda share, text: progress(share, desc=text),
            weights=weights,
            reduce=reduce,
        )
        names = self._work.labels(session)
        chosen = next((token for token in [*done.tokens, *reversed(names)] if token in names), None)
        choices = [(name, token) for token, name in names.items()]
        return (
            _status(done.problems, done.notes),
            None,
            gr.update(choices=choices, value=chosen, visible=len(choices) > 1),
            gr.update(visible=bool(choices)),
            self._work.told(chosen) if chosen else NO_PHOTO,
        )

    def taking(self, example: Any) -> Any:
        """What a click on an example does: its photo is taken as if it were dropped."""

        def take_example(
            weights: str,
            request: gr.Request,
            progress: Any = gr.Progress(),  # noqa: B008
        ) -> tuple[Any, ...]:
            return self.take([str(example.path)], weights, example.reduce, request, progress)

        return take_example

    def show(self, token: str, request: gr.Request) -> tuple[Any, str]:
        """A photo was chosen; gives viewer and status."""
        try:
            self._work.sessions.photo(token, str(request.session_hash))
            return self._work.told(token), ""
        except DataError as error:
            return NO_PHOTO, _status([str(error)], [])

    def add_original(self, token: str, path: str, request: gr.Request) -> tuple[Any, ...]:
        """The original of the photo was given; gives status, original and viewer."""
        try:
            self._work.add_original(str(request.session_hash), token, Path(path))
        except (DataError, UsageError) as error:
            return _status([str(error)], []), None, gr.skip()
        return _status([], ["the original is there"]), None, self._work.told(token)

    def settle(
        self,
        token: str,
        mode: str,
        xi: float,
        levels: float,
        consistent: bool,
        seen: Any,
        request: gr.Request,
    ) -> Iterator[tuple[Any, ...]]:
        """The knob rests: what is promised at once, then what takes seconds to measure."""
        choice = _choice(mode, xi, levels, consistent)
        yield promise(choice), gr.skip(), gr.skip(), gr.skip(), gr.skip()
        try:
            for table, drawing in self._work.measures(str(request.session_hash), token, choice):
                view = gr.skip()
                if choice.consistent and not drawing and isinstance(seen, dict):
                    view = {**seen, "settled": choice.xi}
                yield gr.skip(), table, drawing or gr.skip(), view, gr.skip()
        except (DataError, UsageError) as error:
            yield gr.skip(), "", "", gr.skip(), _status([str(error)], [])

    def download(
        self,
        token: str,
        mode: str,
        xi: float,
        levels: float,
        consistent: bool,
        format_name: str,
        request: gr.Request,
    ) -> str:
        """Writes the result; gives its file."""
        if not token:
            raise gr.Error("There is no photo yet: drop one first.", print_exception=False)
        choice = _choice(mode, xi, levels, consistent)
        try:
            return str(self._work.write(str(request.session_hash), token, choice, format_name))
        except (DataError, UsageError, OSError) as error:
            raise gr.Error(str(error), print_exception=False) from error

    def enlarge(
        self, photo: str, xi: float, max_deviation: int, consistent: bool, format: str, weights: str
    ) -> str:
        """Enlarges a photo 4x; max_deviation, if it is 0 or more, takes the place of xi."""
        levels = None if max_deviation < 0 else max_deviation
        try:
            if not photo:
                raise UsageError("there is no photo; give one as handle_file(PATH)")
            choice = Choice(xi=xi, levels=levels, consistent=consistent)
            return str(self._work.enlarge(Path(photo), choice, format, weights))
        except (DataError, UsageError, OSError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        finally:
            self._work.forget_upload(Path(photo or "."))

    def leave(self, request: gr.Request) -> None:
        """The page was closed: forgets its photos."""
        self._work.close(str(request.session_hash))


def _choice(mode: str, xi: float, levels: float, consistent: bool) -> Choice:
    bounded = mode == "levels"
    return Choice(
        xi=float(xi),
        levels=int(levels) if bounded else None,
        consistent=consistent and not bounded,
    )


def promise(choice: Choice) -> str:
    """What the knob guarantees, as HTML."""
    return f'<p class="bg-promise" role="status">{escape(words.guarantee(choice))}</p>'


def _status(problems: list[str], notes: list[str]) -> str:
    lines = [f'<p role="alert">{escape(problem)}</p>' for problem in problems]
    lines += [f'<p role="status">{escape(note)}</p>' for note in notes]
    return "".join(lines)
